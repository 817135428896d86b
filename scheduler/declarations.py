"""The schedules that the code of this process declares, told to the store for as long as it lives."""

import logging
import sys
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from time import monotonic

from worker_service.broker.broker import JobBroker
from worker_service.broker.ticks import check
from worker_service.jobs.declared import Schedule
from worker_service.jobs.errors import InvalidJob, InvalidSchedule
from worker_service.jobs.schedule import Definition, check_name
from worker_service.middleware.periodic import schedule_of
from worker_service.settings import Settings
from worker_service.store import Damaged, Schedules, StoredSchedule

from . import schedules as built_in
from .clock import Clock

TELL_SECONDS = 60.0
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
    all_of_them = {**built_in.SCHEDULES, **own}
    return {name: _checked(broker, name, each, settings.timezone) for name, each in all_of_them.items()}


def code_version(settings: Settings) -> int:
    """``JOBS_CODE_VERSION``, or the newest change of the files that declare schedules, in UTC ms."""
    if settings.code_version is not None:
        return settings.code_version
    modules = (built_in.__name__, *settings.actor_modules)
    files = [getattr(sys.modules.get(name), "__file__", None) for name in modules]
    return max(int(Path(file).stat().st_mtime * 1000) for file in files if file)


class Declarations:
    """Keeps the store informed.

    Args:
        schedules: where.
        definitions: see `declared`.
        code: version of the code.
        clock: the server's.
    """

    def __init__(
        self, schedules: Schedules, definitions: Mapping[str, Definition], code: int, clock: Clock
    ) -> None:
        self._schedules = schedules
        self._definitions = definitions
        self._code = code
        self._clock = clock
        self._told_at: float | None = None
        self._look_at = monotonic() + RETIRED_MS / 1000
        self._answers: dict[str, str] = {}

    def tell(self) -> None:
        """Declare all schedules, at the start and once a minute.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if self._told_at is not None and monotonic() < self._told_at + TELL_SECONDS:
            return
        for name, definition in self._definitions.items():
            timing, before = definition.timing(), self._schedules.get(name)
            word = self._schedules.declare(
                name,
                definition.to_text(),
                uid=uuid.uuid4().hex,
                next_ms=timing.first(self._clock.now_ms(), _next_of(before)),
                max_runs=definition.max_runs,
                code=self._code,
                quiet_ms=RETIRED_MS,
            )
            if word != self._answers.get(name):
                self._answers[name] = word
                _report(name, word)
        self._told_at = monotonic()

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


def _next_of(stored: StoredSchedule | Damaged | None) -> int | None:
    return stored.next_ms if isinstance(stored, StoredSchedule) and stored.pause is None else None


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
    elif word in ("created", "updated"):
        _logger.info("%s is %s.", name, word)
