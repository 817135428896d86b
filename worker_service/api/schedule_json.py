"""Schedules as JSON, for the HTTP interface and the command line."""

from collections.abc import Callable, Iterable
from typing import Any

from ..broker.schedules import Backfilled, Coming, Entry, Standing
from ..jobs.instants import to_text
from ..jobs.masking import masked
from ..store import Damaged, Tick
from .answers import (
    BackfilledTickJson,
    ComingTickJson,
    DamagedScheduleJson,
    LinksJson,
    ScheduleJson,
    SchedulePauseJson,
    TickJobJson,
    TickJson,
)
from .links import link
from .representation import location, state_or_pruned


def schedule_json(
    entry: Entry | Damaged, fn: Callable[..., Any] | None
) -> ScheduleJson | DamagedScheduleJson:
    """A schedule; of one that cannot be read its name, its state and the reason.

    Args:
        fn: its actor's function when it is known here; without it all arguments are hidden.
    """
    if isinstance(entry, Damaged):
        return DamagedScheduleJson(
            name=entry.name, state=Standing.DAMAGED, reason=entry.reason, links=_links(entry.name)
        )
    return entry_json(entry, fn)


def entry_json(entry: Entry, fn: Callable[..., Any] | None) -> ScheduleJson:
    """A schedule that is in order."""
    stored, definition = entry.stored, entry.definition.model_dump(mode="json", exclude_none=True)
    if isinstance(definition.get("args"), dict):
        definition["args"] = masked(fn, definition["args"])
    return {
        "name": entry.name,
        "state": entry.state,
        "source": stored.source,
        "version": stored.version,
        "definition": definition,
        "next_tick": to_text(stored.next_ms) if entry.state is Standing.ACTIVE else None,
        "last_tick": to_text(stored.last_ms),
        "runs": stored.runs,
        "skipped": stored.skipped,
        "missed": stored.missed,
        "hindered": stored.hindered,
        "paused": _pause_json(stored.pause) if stored.pause else None,
        "created_at": to_text(stored.created_at_ms),
        "declared_at": to_text(stored.declared_at_ms),
        "links": _links(entry.name),
    }


def coming_json(found: Iterable[Coming]) -> list[ComingTickJson]:
    """Ticks to come."""
    return [
        {"tick": to_text(each.tick_ms), "local": each.local, "run_at": to_text(each.due_ms)} for each in found
    ]


def history_json(found: Iterable[tuple[Tick, str | None]]) -> list[TickJson]:
    """What became of ticks."""
    return [
        {
            "tick": to_text(tick.tick_ms),
            "at": to_text(tick.at_ms),
            "cause": tick.cause,
            "outcome": tick.outcome,
            "count": tick.count,
            "or_more": tick.or_more,
            "job": _job_json(tick.job, state) if tick.job else None,
        }
        for tick, state in found
    ]


def backfilled_json(found: Iterable[Backfilled]) -> list[BackfilledTickJson]:
    """Ticks of the past and their jobs."""
    return [{"tick": to_text(each.tick_ms), "job": each.job, "created": each.created} for each in found]


def _job_json(id: str, state: str | None) -> TickJobJson:
    return {"id": id, "state": state_or_pruned(state), "links": {"self": location(id)}}


def _links(name: str) -> LinksJson:
    return {"self": link(f"/v1/schedules/{name}")}


def _pause_json(pause: dict[str, Any]) -> SchedulePauseJson:
    since_ms = pause.get("paused_at_ms")
    return {"note": pause.get("note"), "since": to_text(since_ms) if isinstance(since_ms, int) else None}
