"""The record of a job as Python, read from what the scripts have written.

A record may be damaged: a field lost, a key of another type. Then the job is shown with what can be read of it,
because it is the damaged one that somebody wants to look at.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..jobs.fingerprint import fingerprint_of_reason
from ..jobs.states import FINAL, State


@dataclass(frozen=True, slots=True)
class Delivery:
    """One claim of a job and how it ended."""

    number: int
    started_at_ms: int
    ended_at_ms: int | None
    worker: str
    outcome: str
    charged: bool
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class JobStep:
    """Something the job does once: ``begun`` or ``done`` at ``at_ms``, its result once it is done."""

    name: str
    state: str
    at_ms: int
    result: Any


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that an actor logged.

    Attributes:
        id: ``<UTC ms>-<number>``, larger than that of every earlier line of the job.
        number: of the delivery.
    """

    id: str
    number: int
    text: str

    @property
    def at_ms(self) -> int:
        """When it was logged."""
        return int(self.id.partition("-")[0])


@dataclass(frozen=True, slots=True)
class Job:
    """The record of a job. Instants are UTC ms; ``message`` is the Dramatiq message, decoded.

    Attributes:
        fingerprint: of a dead one: the group of failures it belongs to.
        schedule, tick_ms: what made it, and its nominal instant.
        replayed_from, replayed_as: the job that this one is a changed replay of, and the newest one of this one.
    """

    id: str
    state: State
    queue: str
    actor: str
    priority: int
    created_at_ms: int
    due_at_ms: int | None
    started_at_ms: int | None
    finished_at_ms: int | None
    expires_at_ms: int | None
    attempts: int
    crashes: int
    max_attempts: int
    max_crashes: int
    worker: str | None
    wait_reason: str | None
    reason: str | None
    parent: str | None
    unique_key: str | None
    message: dict[str, Any]
    has_result: bool
    result: Any
    error: dict[str, Any] | None
    progress: dict[str, Any] | None
    deliveries: list[Delivery]
    steps: list[JobStep]
    fingerprint: str | None = None
    replayed_from: str | None = None
    replayed_as: str | None = None
    schedule: str | None = None
    tick_ms: int | None = None

    @property
    def is_final(self) -> bool:
        """Whether it will never run again by itself."""
        return self.state in FINAL


def read_job(
    id: str, fields: Any, out: Any = None, message: Any = None, rows: Any = None, steps: Any = None
) -> Job | None:
    """The job from the replies to HGETALL of its record and its output, GET of its message, LRANGE of its deliveries,
    HGETALL of its steps.

    Args:
        out: with ``brief`` reads the reply to HMGET of error and progress.

    Returns:
        None when there is no such job.
    """
    if not isinstance(fields, dict) or not fields:
        return None
    record = text_of(fields)
    if isinstance(out, list):
        out = dict(zip(("error", "progress"), out, strict=True))
    texts = out if isinstance(out, dict) else {}
    outputs = {name: read_json(text) for name, text in text_of(texts).items()}
    state = _state(record)
    deliveries = _deliveries(record, state, rows if isinstance(rows, list) else [])
    return Job(
        id=id,
        state=state,
        queue=record.get("queue", ""),
        actor=record.get("actor", ""),
        priority=_int(record, "priority") or 0,
        created_at_ms=_int(record, "created_at") or 0,
        due_at_ms=_int(record, "due_at"),
        started_at_ms=_int(record, "started_at"),
        finished_at_ms=_int(record, "finished_at"),
        expires_at_ms=_int(record, "expires_at"),
        attempts=_int(record, "attempts") or 0,
        crashes=_int(record, "crashes") or 0,
        max_attempts=_int(record, "max_attempts") or 0,
        max_crashes=_int(record, "max_crashes") or 0,
        worker=deliveries[-1].worker if deliveries else None,
        wait_reason=record.get("wait_reason"),
        reason=record.get("reason"),
        parent=record.get("parent"),
        unique_key=record.get("unique"),
        message=_readable(read_json(message)),
        has_result="result" in outputs,
        result=outputs.get("result"),
        error=outputs.get("error"),
        progress=outputs.get("progress"),
        deliveries=deliveries,
        steps=_steps(steps if isinstance(steps, dict) else {}),
        fingerprint=fingerprint_of(record) if state is State.DEAD else None,
        replayed_from=record.get("replayed_from"),
        replayed_as=record.get("replayed_as"),
        schedule=record.get("schedule"),
        tick_ms=_int(record, "tick"),
    )


_PARTS: Mapping[str, type] = {"args": list, "kwargs": dict, "options": dict}


def fingerprint_of(record: Mapping[str, str]) -> str:
    """The group of failures that a dead job belongs to; see `jobs.fingerprint`.

    Args:
        record: its fields ``fingerprint``, ``actor`` and ``reason``, as far as they are there.
    """
    return record.get("fingerprint") or fingerprint_of_reason(
        record.get("actor", ""), record.get("reason", "")
    )


def text_of(raw: Any) -> dict[str, str]:
    """A hash as text; fields without a value are left out."""
    return {_text(name): _text(value) for name, value in raw.items() if value is not None}


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode(errors="replace")


def _state(record: dict[str, str]) -> State:
    try:
        return State(record.get("state", ""))
    except ValueError:
        return State.DEAD


def _int(fields: dict[str, str], name: str) -> int | None:
    try:
        return int(float(fields[name]))
    except (KeyError, ValueError, OverflowError):
        return None


def read_json(text: Any) -> Any:
    """What a text holds; None for what is no JSON."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def _readable(message: Any) -> dict[str, Any]:
    """A message, without those of its parts that are of another kind; a worker buries the job for them."""
    found: dict[str, Any] = message if isinstance(message, dict) else {}
    return {name: value for name, value in found.items() if isinstance(value, _PARTS.get(name, object))}


def _deliveries(record: dict[str, str], state: State, rows: list[bytes]) -> list[Delivery]:
    """The deliveries that ended otherwise are in the list; the running or completed one is in the record."""
    found = [delivery for row in reversed(rows) if (delivery := _delivery(row)) is not None]
    if state in (State.RUNNING, State.SUCCEEDED):
        found.append(
            Delivery(
                number=_int(record, "deliveries") or 0,
                started_at_ms=_int(record, "started_at") or 0,
                ended_at_ms=_int(record, "finished_at"),
                worker=(record.get("token") or record.get("ended") or "").rpartition(":")[0],
                outcome="running" if state is State.RUNNING else "complete",
                charged=state is State.SUCCEEDED,
                error=None,
            )
        )
    return found


def _delivery(row: bytes) -> Delivery | None:
    try:
        number, started_at, ended_at, worker, outcome, charged, error = _text(row).split("\t", 6)
        return Delivery(
            number=int(number),
            started_at_ms=int(started_at),
            ended_at_ms=int(ended_at),
            worker=worker,
            outcome=outcome,
            charged=charged == "1",
            error=read_json(error),
        )
    except ValueError:
        return None


def _steps(ledger: dict[bytes, bytes]) -> list[JobStep]:
    """In the order in which they were last heard of."""
    found = [step for name, entry in text_of(ledger).items() if (step := _step(name, entry)) is not None]
    return sorted(found, key=lambda step: (step.at_ms, step.name))


def _step(name: str, entry: str) -> JobStep | None:
    try:
        state, at, _, result = f"{entry} ".split(" ", 3)
        return JobStep(name, state, int(at), read_json(result))
    except ValueError:
        return None
