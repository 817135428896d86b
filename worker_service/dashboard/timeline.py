"""What happened to a job, in its order, with how long it took to get there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .wording import ms

OUTCOMES = {
    "complete": "succeeded",
    "retry": "failed, to be tried again",
    "dead_letter": "failed for good",
    "snooze": "put itself off",
    "hand_back": "was handed back",
    "cancel": "was cancelled",
    "crash": "ended with its process",
    "time_limit_hard": "was ended at its time limit",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened.

    Attributes:
        at: an instant of the HTTP interface.
        after_ms: since the moment before; None for the first one.
    """

    what: str
    at: str
    after_ms: int | None
    where: str = ""


def tick_word(tick: dict[str, Any]) -> str:
    """What became of a tick of a schedule: the state of its job, else what was done instead."""
    return str(tick["job"]["state"] if tick["job"] else tick["outcome"])


def moments(job: dict[str, Any]) -> list[Moment]:
    """Those of a job as the HTTP interface shows it."""
    found: list[Moment] = []
    for what, at, where in _told(job):
        before = ms(found[-1].at) if found else None
        found.append(Moment(what, at, None if before is None else max(0, (ms(at) or 0) - before), where))
    return found


def _told(job: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    if job["created_at"]:
        yield "created", job["created_at"], ""
    last = None
    for attempt in job["attempts"]:
        if attempt["started_at"]:
            yield f"run {attempt['number']} started", attempt["started_at"], attempt["worker"]
        if attempt["ended_at"]:
            last = attempt["ended_at"]
            uncharged = "" if attempt["charged"] or attempt["outcome"] == "complete" else ", not charged"
            outcome = OUTCOMES.get(attempt["outcome"], attempt["outcome"])
            yield f"run {attempt['number']} {outcome}{uncharged}", last, ""
    if job["finished_at"] and job["finished_at"] != last:
        yield job["state"], job["finished_at"], ""
