"""worker-service: a background-job service that is deployed, not assembled."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal

from .jobs.errors import PermanentError, RetryLater, UnknownOutcome
from .jobs.sensitive import Sensitive
from .jobs.steps import Happened, NotHappened

if TYPE_CHECKING:
    from .broker.current import CurrentJob
    from .broker.once import LedgerStep

__all__ = [
    "Happened",
    "NotHappened",
    "PermanentError",
    "RetryLater",
    "Sensitive",
    "UnknownOutcome",
    "__version__",
    "actor",
    "current_job",
    "once",
]

__version__ = "0.1.0"


def actor(*args: Any, **options: Any) -> Any:
    """Declare an actor on the service's broker; the same call as ``dramatiq.actor``.

    The broker is built when this is first called, so importing ``worker_service`` alone loads neither Dramatiq
    nor Flask.

    Raises:
        InvalidJob: an option is unknown; the message names the nearest one.
    """
    from .registry import actor as declare

    return declare(*args, **options)


def current_job() -> "CurrentJob":
    """The job that an actor's function is running for: its ``id`` and ``attempt``.

    Raises:
        NoCurrentJob: no job runs here.
    """
    from .broker.current import current_job as current

    return current()


def once(
    name: str,
    *,
    verify: Callable[[str], Happened | NotHappened] | None = None,
    on_unknown: Literal["manual", "retry"] = "manual",
) -> "AbstractContextManager[LedgerStep]":
    """Do something once, although the job may run several times; see docs/effects.md.

    ``with once("charge") as step:`` enters in the job's ledger that the step begins and, when the block is left
    normally, that it is done. Do it under ``if not step.is_done`` and set ``step.result``, which later runs find.
    ``step.nothing_happened()`` says that it was refused, before you raise; what else is raised leaves it in doubt.

    Args:
        name: of the step, one of at most 100 of a job; 1 to 64 of ``A-Z a-z 0-9 . _ : -``,
            a letter or digit first.
        verify: asked with ``step.key`` when an earlier run began the step and nobody knows whether it happened.
            It answers `Happened` or `NotHappened`; what it raises fails the attempt.
        on_unknown: what follows then without ``verify``. ``manual`` gives the job up, for a person to look;
            ``retry`` does it again, for services that do nothing twice under ``step.key``.

    Raises:
        NoCurrentJob: no job runs here.
        UnknownOutcome: nobody knows whether the step happened.
        StepMisused: a name, a policy or a place where a step cannot be.
        LeaseLost: the job was taken back; at the end of the block the effect has happened.
        StoreUnavailable: Redis is away. At the beginning nothing has happened. At the end, after 10 s of trying,
            the effect has, and the next run finds its outcome unknown.
    """
    from .broker.once import once as enter

    return enter(name, verify=verify, on_unknown=on_unknown)
