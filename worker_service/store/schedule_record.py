"""Schedules and their ticks as they are read from the store. What cannot be is damaged, and hides no other."""

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ..jobs.errors import InvalidJob
from ..jobs.ticks import LAST_TICK_MS
from .job_record import text_of

if TYPE_CHECKING:
    from ..jobs.schedule import Definition

LARGEST = 2**53 - 1
"""Lua holds no larger number exactly."""

_WHOLE = re.compile(r"0|[1-9][0-9]{0,15}")
_UID = re.compile(r"[!#-~]{1,64}")


class ScheduleRef(NamedTuple):
    """A schedule as somebody has read it; a change of its definition makes another one of it."""

    name: str
    uid: str
    version: int


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """One schedule. Instants are UTC ms.

    Attributes:
        uid: of this schedule; another one that gets its name later has another.
        version: grows with each change of the definition.
        definition: what was put or declared.
        source: ``api``, or ``code`` when schedulers declare it.
        code: version of the code that declares it.
        declared_at_ms: when a scheduler said so last.
        next_ms: the tick to be fired next; None when there is none.
        last_ms: the newest tick that was fired, skipped or missed.
        runs, skipped, missed: how many ticks made a job, made none because an earlier one was still there, were
            given up because nobody could fire them in time.
        pause: why, and since when; None when it is not paused.
        hindered: why nobody can make jobs of its ticks, which wait; None when they are fired.
    """

    name: str
    uid: str
    version: int
    definition: dict[str, Any]
    source: str
    code: int | None
    created_at_ms: int
    declared_at_ms: int | None
    next_ms: int | None
    last_ms: int | None
    runs: int
    skipped: int
    missed: int
    pause: dict[str, Any] | None
    hindered: str | None

    @property
    def edition(self) -> str:
        """What tells this definition from all others, also from those of an earlier schedule of this name."""
        return f"{self.uid}-{self.version}"

    @property
    def ref(self) -> ScheduleRef:
        """This version of it."""
        return ScheduleRef(self.name, self.uid, self.version)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A schedule that cannot be read, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """What became of one tick.

    Attributes:
        at_ms: when it was dealt with.
        cause: tick, backfill or run_now.
        outcome: fired, skipped or missed.
        job: the job it made, or the earlier one for which it was skipped.
        count: how many ticks up to this one were missed.
        or_more: whether the counting was cut.
    """

    at_ms: int
    tick_ms: int
    cause: str
    outcome: str
    job: str | None
    count: int
    or_more: bool


def read_schedule(name: str, fields: Any) -> StoredSchedule | Damaged:
    """One schedule.

    Args:
        fields: of its hash; what else the server answered when it is none.
    """
    try:
        record = text_of(fields)
        if not _UID.fullmatch(record["uid"]):
            raise ValueError("its uid is none")
        if record["source"] not in ("api", "code"):
            raise ValueError("its source is neither api nor code")
        return StoredSchedule(
            name=name,
            uid=record["uid"],
            version=_needed(record, "version", LARGEST),
            definition=_definition(record["definition"]),
            source=record["source"],
            code=_number(record, "code", LARGEST),
            created_at_ms=_needed(record, "created_at", LAST_TICK_MS),
            declared_at_ms=_number(record, "declared_at", LAST_TICK_MS),
            next_ms=_number(record, "next", LAST_TICK_MS),
            last_ms=_number(record, "last", LAST_TICK_MS),
            runs=_number(record, "runs", LARGEST) or 0,
            skipped=_number(record, "skipped", LARGEST) or 0,
            missed=_number(record, "missed", LARGEST) or 0,
            pause=_pause(record["paused"]) if "paused" in record else None,
            hindered=record.get("hindered"),
        )
    except AttributeError:
        return Damaged(name, "its key is of another type")
    except KeyError as error:
        return Damaged(name, f"its {error.args[0]} is missing")
    except (ValueError, RecursionError) as error:
        return Damaged(name, str(error))


def meaning_of(stored: StoredSchedule | Damaged) -> "Definition | Damaged":
    """What a schedule says, or why it cannot be used."""
    from ..jobs.schedule import Definition  # needs pydantic, without which keepers stay small

    if isinstance(stored, Damaged):
        return stored
    try:
        return Definition.read(stored.definition)
    except (InvalidJob, RecursionError) as error:
        return Damaged(stored.name, str(error))


def read_tick(entry: bytes, fields: Any) -> Tick | None:
    """One entry of a history; None when it is none."""
    record = text_of(fields)
    outcome, job = record.get("outcome", ""), record.get("job", "")
    missed = outcome == "missed"
    try:
        return Tick(
            at_ms=int(entry.partition(b"-")[0]),
            tick_ms=_needed(record, "tick", LAST_TICK_MS),
            cause=record.get("cause", ""),
            outcome=outcome,
            job=None if missed else job,
            count=int(job.removesuffix("+")) if missed else 1,
            or_more=missed and job.endswith("+"),
        )
    except (KeyError, ValueError):
        return None


def _definition(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"its definition is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError("its definition is no object")
    return found


def _pause(text: str) -> dict[str, Any]:
    """One that cannot be read is a pause still."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _needed(record: dict[str, str], name: str, most: int) -> int:
    found = _number(record, name, most)
    if found is None:
        raise KeyError(name)
    return found


def _number(record: dict[str, str], name: str, most: int) -> int | None:
    text = record.get(name)
    if text is None:
        return None
    if not _WHOLE.fullmatch(text) or int(text) > most:
        raise ValueError(f"its {name} is no number up to {most}: {text[:40]!r}")
    return int(text)
