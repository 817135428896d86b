"""Schedules and their ticks."""

from typing import Any, Literal

from typing_extensions import TypedDict

from ...broker.schedules import Standing
from ...jobs.states import State
from .common import Instant, LinksJson


class SchedulePauseJson(TypedDict):
    """Why ticks of a schedule are not fired."""

    note: str | None
    since: Instant | None


class ScheduleJson(TypedDict):
    """A schedule; ``hindered`` is why nobody can make jobs of its ticks, which wait."""

    name: str
    state: Standing
    source: str
    version: int
    definition: dict[str, Any]
    next_tick: Instant | None
    last_tick: Instant | None
    runs: int
    skipped: int
    missed: int
    hindered: str | None
    paused: SchedulePauseJson | None
    created_at: Instant | None
    declared_at: Instant | None
    links: LinksJson


class DamagedScheduleJson(TypedDict):
    """A schedule that cannot be read."""

    name: str
    state: Literal[Standing.DAMAGED]
    reason: str
    links: LinksJson


class SchedulesJson(TypedDict):
    """Schedules by name."""

    items: list[ScheduleJson | DamagedScheduleJson]


class ComingTickJson(TypedDict):
    """A tick to come; ``local`` is what clocks of the schedule's zone show then."""

    tick: Instant | None
    local: str
    run_at: Instant | None


class ComingTicksJson(TypedDict):
    """Ticks to come."""

    items: list[ComingTickJson]


class TickJobJson(TypedDict):
    """The job of a tick."""

    id: str
    state: State | Literal["pruned"]
    links: LinksJson


class TickJson(TypedDict):
    """What became of a tick."""

    tick: Instant | None
    at: Instant | None
    cause: str
    outcome: str
    count: int
    or_more: bool
    job: TickJobJson | None


class TicksJson(TypedDict):
    """Ticks that were, the newest first."""

    items: list[TickJson]


class BackfilledTickJson(TypedDict):
    """A tick of the past and its job, which this request made or an earlier one had made."""

    tick: Instant | None
    job: str
    created: bool


class BackfilledTicksJson(TypedDict):
    """Ticks of the past."""

    items: list[BackfilledTickJson]
