"""What is to be fired: the schedules of the store, read and understood. What cannot be is left out, and told."""

import logging
from collections import deque
from dataclasses import dataclass, field

from worker_service.jobs.schedule import Definition, Timing
from worker_service.store import Damaged, ScheduleRef, Schedules, StoredSchedule, meaning_of

_logger = logging.getLogger("scheduler")


@dataclass(slots=True)
class Planned:
    """One schedule as it was read.

    Attributes:
        next_ms: the tick that is due next, in UTC ms; None when there is none any more.
        in_turn: ticks that have come and are to be fired, each with the one after it.
    """

    ref: ScheduleRef
    definition: Definition
    timing: Timing
    next_ms: int | None
    in_turn: deque[tuple[int, int | None]] = field(default_factory=deque)

    @property
    def name(self) -> str:
        """Of the schedule."""
        return self.ref.name


class Plan:
    """Reads schedules, and tells of each damaged one once.

    Args:
        schedules: where they are.
    """

    def __init__(self, schedules: Schedules) -> None:
        self._schedules = schedules
        self._told: set[Damaged] = set()

    def read(self) -> list[Planned]:
        """Those that have a tick to come and are not paused.

        Raises:
            StoreUnavailable: Redis is away.
        """
        found = [_planned(each) for each in self._schedules.all()]
        damaged = {each for each in found if isinstance(each, Damaged)}
        for each in damaged - self._told:
            _logger.error("%s is not fired, it cannot be used: %s", each.name, each.reason)
        self._told = damaged
        return [each for each in found if isinstance(each, Planned)]

    def overdue(self, since_ms: int) -> list[Planned]:
        """Those of them that nobody has fired since an instant.

        Raises:
            StoreUnavailable: Redis is away.
        """
        names = self._schedules.overdue(since_ms)
        found = [_planned(each) for each in self._schedules.read(names)] if names else []
        return [each for each in found if isinstance(each, Planned)]


def _planned(stored: StoredSchedule | Damaged) -> Planned | Damaged | None:
    if isinstance(stored, Damaged):
        return stored
    if stored.pause is not None or stored.next_ms is None:
        return None
    meaning = meaning_of(stored)
    if isinstance(meaning, Damaged):
        return meaning
    return Planned(stored.ref, meaning, meaning.timing(), stored.next_ms)
