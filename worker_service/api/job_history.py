"""What happened to a job, as events that can be told from any point on.

Nothing is kept for it: states follow from the record and its deliveries, lines stand in the log, progress is the
newest. An event's id says how far the client has seen each of the three, so that it misses and hears nothing twice,
whichever process it asks next. A state that leaves no trace (`queued`, for the moment between two others) may be
left out; the newest one never is.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..jobs.instants import to_text
from ..jobs.states import State
from ..store import Delivery, Job, LogLine
from .streams import event

_ID = re.compile(
    rf"(-1|\d{{1,9}})\.({'|'.join(State)}|)\.([0-9a-f]{{8}}|-)\.(\d{{1,18}}-\d{{1,18}})(\.done)?"
)

_AFTER = {
    "complete": State.SUCCEEDED,
    "retry": State.RETRYING,
    "crash": State.RETRYING,
    "time_limit_hard": State.RETRYING,
    "snooze": State.SCHEDULED,
    "hand_back": State.QUEUED,
    "dead_letter": State.DEAD,
    "cancel": State.CANCELLED,
}
"""Outcome of a delivery -> the state that the job had next."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a client has seen; the id of an event.

    Attributes:
        number, state: of the newest state: after which delivery, and which.
        progress: a checksum of the newest one, '-' for none.
        line: id of the newest line of the log.
        is_done: whether it was told that the job has ended.
    """

    number: int = -1
    state: str = ""
    progress: str = "-"
    line: str = "0-0"
    is_done: bool = False

    def __str__(self) -> str:
        return f"{self.number}.{self.state}.{self.progress}.{self.line}{'.done' * self.is_done}"

    @classmethod
    def from_text(cls, text: str) -> "Seen":
        """Read a ``Last-Event-ID``; one that is none of ours means from the beginning."""
        found = _ID.fullmatch(text)
        return cls(int(found[1]), found[2], found[3], found[4], bool(found[5])) if found else cls()


@dataclass(frozen=True, slots=True)
class _Point:
    """A state that the job has entered: after, or with, which delivery."""

    number: int
    state: State
    at_ms: int


def new_events(job: Job, lines: list[LogLine], seen: Seen, shown: Any) -> Iterator[tuple[str, Seen]]:
    """The events of a job that a client has not seen, each with how far it has seen then.

    Args:
        lines: those that were logged after ``seen.line``.
        shown: the job as JSON, for the last event.
    """
    points = _new_points(job, seen)
    last = [points.pop()] if points and points[-1].state == job.state and job.is_final else []
    items: list[_Point | LogLine] = [*points, *lines]
    for item in sorted(items, key=_order):
        if isinstance(item, _Point):
            seen = _after(seen, item)
            yield event("state", _state_json(item), str(seen)), seen
        else:
            seen = replace(seen, line=item.id)
            data = {"at": to_text(item.at_ms), "number": item.number, "line": item.text}
            yield event("log", data, str(seen)), seen
    checksum = _checksum(job.progress)
    if checksum not in ("-", seen.progress):
        seen = replace(seen, progress=checksum)
        yield event("progress", job.progress, str(seen)), seen
    for point in last:
        seen = _after(seen, point)
        yield event("state", _state_json(point), str(seen)), seen
    if job.is_final and not seen.is_done:
        seen = replace(seen, is_done=True)
        yield event("done", shown, str(seen)), seen


def removed_event(id: str) -> str:
    """The last event of a job whose record is gone."""
    return event("done", {"id": id, "state": "pruned"})


def has_seen_all(job: Job, seen: Seen) -> bool:
    """Whether the client was told of the end of the job, and it has not been put back since."""
    return seen.is_done and job.is_final and not _new_points(job, seen)


def _new_points(job: Job, seen: Seen) -> list[_Point]:
    points = _points(job)
    newest = points[-1]
    if not seen.state:
        return [newest]
    was_running = seen.state == State.RUNNING
    found = [
        point
        for point in points[:-1]
        if point.number > seen.number
        or (point.number == seen.number and was_running and point.state != State.RUNNING)
    ]
    if newest.number > seen.number or newest.state != seen.state:
        found.append(newest)
    return found


def _points(job: Job) -> list[_Point]:
    """In their order; the last one is the state of the job."""
    found: list[_Point] = []
    for delivery in job.deliveries:
        found.append(_Point(delivery.number, State.RUNNING, delivery.started_at_ms))
        if delivery.ended_at_ms is not None:
            found.append(_Point(delivery.number, _state_after(delivery, job), delivery.ended_at_ms))
    newest = found[-1] if found else _Point(0, State.QUEUED, job.created_at_ms)
    if not found or newest.state != job.state:
        found.append(_Point(newest.number, job.state, job.finished_at_ms or newest.at_ms))
    return found


def _state_after(delivery: Delivery, job: Job) -> State:
    """That of a job which ended with this delivery is its own: a crash may be the last one."""
    if job.is_final and delivery.ended_at_ms == job.finished_at_ms:
        return job.state
    return _AFTER.get(delivery.outcome, State.QUEUED)


def _after(seen: Seen, point: _Point) -> Seen:
    number = max(seen.number, point.number)  # a delivery that never started leaves no trace, but has a number
    return replace(seen, number=number, state=point.state.value, is_done=False)


def _order(item: _Point | LogLine) -> tuple[int, int]:
    if isinstance(item, LogLine):
        return item.at_ms, 1
    return item.at_ms, 0 if item.state is State.RUNNING else 2


def _state_json(point: _Point) -> dict[str, Any]:
    return {"state": point.state, "number": point.number, "at": to_text(point.at_ms)}


def _checksum(progress: Any) -> str:
    return "-" if progress is None else f"{zlib.crc32(repr(progress).encode()):08x}"
