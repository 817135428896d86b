"""The actors of this process: the one way in which the worker, the web process and the command line learn them."""

import importlib
import inspect
import logging
import sys
from functools import cache
from types import ModuleType
from typing import Any

import dramatiq

from .broken_modules import ActorModuleFailed, short_in_workers
from .broker import bulk, webhooks
from .broker.broker import JobBroker
from .broker.offered import offered
from .jobs.errors import InvalidJob
from .middleware import default_middleware
from .names import did_you_mean
from .sentry import tell_sentry
from .settings import WrongSettings, settings
from .tracing import tracing_middleware

_logger = logging.getLogger(__name__)

TOLD = ("on_success", "on_failure", "on_retry_exhausted")
"""Options that name another actor, which gets a job when one ends."""


@cache
@short_in_workers
def broker() -> JobBroker:
    """The broker of this process, built and made Dramatiq's global one when first asked for."""
    tell_sentry(settings())
    made = JobBroker(settings(), [*tracing_middleware(), *default_middleware()])
    bulk.declare(made)
    webhooks.declare(made, settings())
    dramatiq.set_broker(made)
    return made


def actor(fn: Any = None, **options: Any) -> Any:
    """Declare an actor on this broker; the same call as ``dramatiq.actor``.

    Raises:
        InvalidJob: an option is unknown; the message names the nearest one.
    """
    ours = broker()
    known = ours.actor_options | {"actor_name", "queue_name", "priority", "broker", "actor_class"}
    for name in options:
        if name not in known:
            raise InvalidJob(f"No actor option {name!r}.{did_you_mean(name, known)}", code="unknown_option")
    options.setdefault("broker", ours)
    return dramatiq.actor(**options) if fn is None else dramatiq.actor(**options)(fn)


def load() -> JobBroker:
    """Import the built-in actors and those of ``JOBS_ACTOR_MODULES``; returns the broker that holds them.

    Raises:
        ActorModuleFailed: a module cannot be imported, or made a broker of its own.
    """
    ours = broker()
    importlib.import_module("worker_service.actors")
    import_own_modules()  # again, if an own module was the first to import that one
    return ours


def tell_idle_modules() -> None:
    """Log which modules of ``JOBS_ACTOR_MODULES`` have no actor, once all are loaded: an import was forgotten."""
    for name in settings().actor_modules:
        if not _gives_something(sys.modules[name], broker()):
            _logger.warning("%s of JOBS_ACTOR_MODULES declares no actor, and imports none.", name)


def check() -> None:
    """Import all actors, and end the process with a text and code 1 when that fails."""
    try:
        load()
    except (ActorModuleFailed, WrongSettings) as error:
        raise SystemExit(str(error)) from None


@short_in_workers
def import_own_modules() -> None:
    """Import the modules of ``JOBS_ACTOR_MODULES``, and refuse actors that landed on another broker.

    Raises:
        ActorModuleFailed: see `load`.
        WrongSettings: JOBS_ROUTES, or an actor's ``on_retry_exhausted`` and the like, names one that none of them
            declares.
    """
    ours = broker()
    if any(_is_being_imported(name) for name in settings().actor_modules):
        return  # it imports built-in actors: the others, which may need it, come once it is there
    for name in settings().actor_modules:
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit) as error:  # the module is anybody's code
            raise ActorModuleFailed.because(name, error) from error
        for value in vars(module).values():
            if isinstance(value, dramatiq.Actor) and value.broker is not ours:
                raise ActorModuleFailed.on_another_broker(name, value.actor_name, value.broker, value.fn)
    _check_routes(ours)
    _check_told(ours)


def _gives_something(module: ModuleType, ours: JobBroker) -> bool:
    """Whether a module has actors or schedules, in itself or, as a package, in its modules."""
    if hasattr(module, "SCHEDULES") or any(
        isinstance(each, dramatiq.Actor) for each in vars(module).values()
    ):
        return True
    places = (inspect.unwrap(actor.fn).__module__ for actor in ours.actors.values())
    return any(f"{place}.".startswith(f"{module.__name__}.") for place in places)


def _is_being_imported(name: str) -> bool:
    """Whether a module, which is the one that imports us, is still under way."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _check_routes(ours: JobBroker) -> None:
    for name in settings().routes:
        if name not in ours.actors:
            raise WrongSettings(f"JOBS_ROUTES: No actor {name!r}.{did_you_mean(name, offered(ours.actors))}")


def _check_told(ours: JobBroker) -> None:
    for actor in ours.actors.values():
        for option in TOLD:
            told = actor.options.get(option)
            if isinstance(told, str) and told not in ours.actors:
                hint = did_you_mean(told, offered(ours.actors))
                raise WrongSettings(f"{actor.actor_name}: {option}: No actor {told!r}.{hint}")
