"""A day of the service in numbers. Days are those of UTC, instants UTC ms."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


class Spread(NamedTuple):
    """How long jobs waited or ran, in ms: the mean, and what half and 95 of 100 needed at most; None without one."""

    mean: int | None
    p50: int | None
    p95: int | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted: of an actor or of all, in an hour or in the day.

    Attributes:
        counts: how many jobs were ``enqueued``, ended as ``succeeded``, ``dead``, ``cancelled`` or ``expired``; how
            many attempts were ``started``, ``retried`` or ended by a crash (``crashed``).
    """

    name: str
    counts: dict[str, int]
    wait: Spread
    run: Spread

    def __getitem__(self, name: str) -> int:
        return self.counts.get(name, 0)

    @property
    def ended(self) -> int:
        """How many jobs came to their end."""
        return self["succeeded"] + self["dead"] + self["cancelled"] + self["expired"]

    @property
    def failed_part(self) -> float:
        """How many of them were given up, from 0 to 1."""
        return self["dead"] / self.ended if self.ended else 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """Jobs that were given up for the same reason.

    Attributes:
        why: the error of the newest one.
        first_ms, last_ms: when the oldest and the newest of them ended.
    """

    actor: str
    why: str
    count: int
    first_ms: int
    last_ms: int


@dataclass(slots=True)
class Punctuality:
    """The ticks of a schedule.

    Attributes:
        late_ms: of each that was fired, how long after its time that was.
        skipped: because an earlier job had not ended.
        missed: because nobody could fire them in time.
        since_ms: the first tick that is still known, when there may have been earlier ones.
    """

    name: str
    late_ms: list[int] = field(default_factory=list)
    skipped: int = 0
    missed: int = 0
    since_ms: int | None = None

    @property
    def fired(self) -> int:
        """How many made a job."""
        return len(self.late_ms)

    def late_quantile_ms(self, part: float) -> int | None:
        """How late ``part`` of them were at most (nearest rank); None when none was fired."""
        ordered = sorted(self.late_ms)
        return ordered[max(0, -int(-part * len(ordered) // 1) - 1)] if ordered else None


@dataclass(frozen=True, slots=True)
class Day:
    """All that is told of a day.

    Attributes:
        until_ms: up to when, if it was not over.
        total: of all actors.
        hours: of all actors, in each of the 24 hours.
        actors: those that counted anything, by name.
        failures: the newest first.
        has_more_failures, has_more_schedules: whether there are more than were looked at.
        schedules: those that had ticks, by name.
    """

    date: date
    until_ms: int | None
    total: Counted
    hours: list[Counted]
    actors: list[Counted]
    failures: list[Failed]
    has_more_failures: bool
    schedules: list[Punctuality]
    has_more_schedules: bool
