"""The schedules that the code of this process declares, told to the store for as long as it lives."""

import hashlib
import logging
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from types import ModuleType

from worker_service.broker.broker import JobBroker
from worker_service.broker.ticks import check
from worker_service.jobs.declared import Schedule
from worker_service.jobs.errors import InvalidJob, InvalidSchedule
from worker_service.jobs.schedule import Definition
from worker_service.jobs.schedule_names import check_name
from worker_service.middleware.periodic import schedule_of
from worker_service.settings import Settings
from worker_service.store import Damaged, Schedules, StoredSchedule

from . import schedules as built_in
from .clock import Clock

TELL_SECONDS = 60.0
AGAIN_SECONDS = 4.0
"""How soon after an answer that may be another one then: a scheduler that was killed still counts as living for 3 s."""
SETTLED = frozenset({"created", "updated", "unchanged", "taken"})
RETIRED_MS = 10 * 60_000
"""How long no scheduler has declared a schedule when it is removed, or older code has its way."""

_logger = logging.getLogger("scheduler")


def declared(broker: JobBroker, settings: Settings) -> dict[str, Definition]:
    """Name -> definition, of actors with ``every`` or ``periodic`` and of the ``SCHEDULES`` of actor modules.

    A built-in schedule gives way to one of its name.

    Raises:
        InvalidSchedule: one cannot be kept, or two have one name.
    """
    own: dict[str, Schedule] = {}
    for name, schedule in _own(broker, settings.actor_modules):
        if name in own:
            raise InvalidSchedule(f"Two schedules are named {name!r}.")
        own[name] = schedule
    canary = {built_in.CANARY.actor: built_in.CANARY} if settings.canary else {}
    all_of_them = {**built_in.SCHEDULES, **canary, **own}
    return {name: _checked(broker, name, each, settings.timezone) for name, each in all_of_them.items()}


def code_version(settings: Settings) -> int:
    """``JOBS_CODE_VERSION``, or the newest change of a file of the packages that declare schedules, in UTC ms.

    All of a package counts: a schedule may be put together from what another of its modules says.
    """
    if settings.code_version is not None:
        return settings.code_version
    packages = {name.partition(".")[0] for name in (built_in.__name__, *settings.actor_modules)}
    files = [file for name in packages for file in _files(sys.modules.get(name))]
    return max((int(file.stat().st_mtime * 1000) for file in files if file.exists()), default=0)


def edition(code: int, definitions: Mapping[str, Definition]) -> str:
    """What schedulers that declare the same have in common: ``code-digest``."""
    text = "\n".join(f"{name} {each.to_text()}" for name, each in sorted(definitions.items()))
    return f"{code}-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:16]}"


def _files(package: ModuleType | None) -> Iterator[Path]:
    folders = list(getattr(package, "__path__", []))
    for folder in folders:
        yield from Path(folder).rglob("*.py")
    if not folders and (file := getattr(package, "__file__", None)):
        yield Path(file)


class Declarations:
    """Keeps the store informed.

    Args:
        schedules: where.
        definitions: see `declared`.
        scheduler: the id of this process; see `Schedules.lead`.
        clock: the server's.
    """

    def __init__(
        self, schedules: Schedules, definitions: Mapping[str, Definition], scheduler: str, clock: Clock
    ) -> None:
        self._schedules = schedules
        self._definitions = definitions
        self._scheduler = scheduler
        self._clock = clock
        self._tell_at = monotonic()
        self._look_at = monotonic() + RETIRED_MS / 1000
        self._answers: dict[str, str] = {}

    def tell(self) -> None:
        """Declare all schedules, at the start and once a minute.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if monotonic() < self._tell_at:
            return
        before = {each.name: each for each in self._schedules.read(list(self._definitions))}
        for name, definition in self._definitions.items():
            word = self._declare(name, definition, before.get(name))
            if word != self._answers.get(name):
                self._answers[name] = word
                _report(name, word)
        settled = all(word in SETTLED for word in self._answers.values())
        self._tell_at = monotonic() + (TELL_SECONDS if settled else AGAIN_SECONDS)

    def _declare(self, name: str, definition: Definition, before: StoredSchedule | Damaged | None) -> str:
        stored = before if isinstance(before, StoredSchedule) else None
        pending_ms = stored.next_ms if stored is not None and stored.pause is None else None
        last_ms = stored.last_ms or 0 if stored is not None else 0
        return self._schedules.declare(
            name,
            definition.to_text(),
            uid=uuid.uuid4().hex,
            next_ms=definition.timing().first(max(self._clock.now_ms(), last_ms), pending_ms),
            max_runs=definition.max_runs,
            scheduler=self._scheduler,
            quiet_ms=RETIRED_MS,
        )

    def retire(self) -> None:
        """Remove what no scheduler has declared for a while; only the one that leads asks, once a minute.

        Not before this process has lived so long itself: after an outage of all schedulers nobody could.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if monotonic() < self._look_at:
            return
        self._look_at = monotonic() + TELL_SECONDS
        silent_since = self._clock.now_ms() - RETIRED_MS
        for name in self._schedules.declared_before(silent_since):
            if self._schedules.retire(name, silent_since) == "removed":
                _logger.info("%s is retired: no scheduler declares it any more.", name)


def _own(broker: JobBroker, modules: Iterable[str]) -> Iterable[tuple[str, Schedule]]:
    for name, actor in sorted(broker.actors.items()):
        schedule = schedule_of(actor)
        if schedule is not None:
            yield name, schedule
    for module in modules:
        found = getattr(sys.modules.get(module), "SCHEDULES", {})
        if not isinstance(found, dict) or not all(isinstance(each, Schedule) for each in found.values()):
            raise InvalidSchedule(f"{module}.SCHEDULES: use a dictionary of names and Schedule(actor, when)")
        for name in found:
            if not isinstance(name, str):
                raise InvalidSchedule(f"{module}.SCHEDULES: the name {name!r} is no text")
            check_name(name)
        yield from found.items()


def _checked(broker: JobBroker, name: str, schedule: Schedule, time_zone: str) -> Definition:
    try:
        definition = schedule.definition(time_zone)
        check(broker, definition.actor, definition.args)
    except InvalidJob as error:
        raise InvalidSchedule(f"Schedule {name!r}: {error}") from None
    return definition


def _report(name: str, word: str) -> None:
    if word == "taken":
        _logger.error("%s is not scheduled by this code: the API has a schedule of this name.", name)
    elif word == "older":
        _logger.warning("%s is left as other code of the same version or a newer one declares it.", name)
    elif word == "damaged":
        _logger.error("%s cannot be declared: its key is damaged; see `worker-service doctor`.", name)
    elif word in ("created", "updated"):
        _logger.info("%s is %s.", name, word)
