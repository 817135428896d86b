"""Reads: nothing here decides or changes anything."""

import json
import time
from dataclasses import dataclass
from typing import Any

import redis

from ..jobs.states import FINAL, State
from .connection import translated
from .keys import Keys

WATCH_MS = 60_000


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
class Job:
    """The record of a job. Instants are UTC ms; ``message`` is the Dramatiq message, decoded."""

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
    message: dict[str, Any]
    has_result: bool
    result: Any
    error: dict[str, Any] | None
    deliveries: list[Delivery]

    @property
    def is_final(self) -> bool:
        """Whether it will never run again by itself."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """How far a schedule has come; ``last_ms`` is the last tick fired, None when there was none yet."""

    now_ms: int
    last_ms: int | None


class Queries:
    """What can be asked of one namespace.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._client = client
        self.keys = Keys(namespace)

    def job(self, id: str) -> Job | None:
        """The job with this id, in one round trip; None when it is unknown or pruned."""
        with translated(), self._client.pipeline(transaction=True) as pipe:
            pipe.hgetall(self.keys.job(id))
            pipe.get(self.keys.msg(id))
            pipe.hgetall(self.keys.out(id))
            pipe.lrange(self.keys.attempts(id), 0, -1)
            fields, message, out, deliveries = pipe.execute()
        return _job(id, _text(fields), message, _text(out), deliveries) if fields else None

    def state(self, id: str) -> State | None:
        """The job's state alone."""
        with translated():
            found = self._client.hget(self.keys.job(id), "state")
        return State(found.decode()) if isinstance(found, bytes) else None

    def depth(self, queue: str) -> int:
        """How many jobs are queued, scheduled or retrying."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            pipe.zcard(self.keys.ready(queue))
            pipe.zcard(self.keys.due(queue))
            return sum(pipe.execute())

    def waiting(self, queue: str) -> list[str]:
        """Ids of the jobs that are queued, scheduled or retrying."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            pipe.zrange(self.keys.ready(queue), 0, -1)
            pipe.zrange(self.keys.due(queue), 0, -1)
            return [id.decode() for ids in pipe.execute() for id in ids]

    def running(self) -> int:
        """How many jobs worker processes hold now."""
        with translated():
            sessions: list[bytes] = self._client.zrange(self.keys.sessions, 0, -1)  # type: ignore[assignment]
            with self._client.pipeline(transaction=False) as pipe:
                for session in sessions:
                    pipe.hlen(self.keys.running(session.decode()))
                return sum(pipe.execute())

    def totals(self, actor: str) -> dict[str, int]:
        """The counters of an actor that never decrease; see lua/lib/count.lua for their names."""
        with translated():
            found = self._client.hgetall(self.keys.total(actor))
        return {name: int(value) for name, value in _text(found).items()}

    def schedule(self, name: str) -> ScheduleState:
        """The last tick of a schedule, and the server's clock."""
        with translated(), self._client.pipeline(transaction=True) as pipe:
            pipe.time()
            pipe.hget(self.keys.schedule(name), "last")
            (seconds, microseconds), last = pipe.execute()
        return ScheduleState(seconds * 1000 + microseconds // 1000, None if last is None else int(last))

    def wait_until_final(self, id: str, timeout: float) -> Job | None:
        """The job once it is final, or as it stands after ``timeout`` seconds. Woken, not polled.

        A job that does not exist yet (a later step of a pipeline) is waited for as well.

        The watch key makes the scripts publish; it is set before the job is read, so no end is missed.
        """
        deadline = time.monotonic() + timeout
        with translated(), self._client.pubsub() as subscription:
            subscription.subscribe(self.keys.event(id))
            subscription.get_message(timeout=timeout)  # the confirmation: from here on nothing is missed
            while True:
                self._client.set(self.keys.watch, 1, px=WATCH_MS)
                job = self.job(id)
                left = deadline - time.monotonic()
                if (job is not None and job.is_final) or left <= 0:
                    return job
                subscription.get_message(timeout=min(left, WATCH_MS / 2000))

    def ping(self) -> None:
        """One round trip.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            self._client.ping()

    def sessions(self) -> set[str]:
        """Ids of the worker processes whose session is open, or was lost and not yet rescued."""
        with translated():
            found: list[bytes] = self._client.zrange(self.keys.sessions, 0, -1)  # type: ignore[assignment]
        return {session.decode() for session in found}


def _text(raw: Any) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in raw.items()}


def _int(fields: dict[str, str], name: str) -> int | None:
    return int(float(fields[name])) if name in fields else None


def _job(
    id: str, fields: dict[str, str], message: bytes | None, out: dict[str, str], rows: list[bytes]
) -> Job:
    deliveries = _deliveries(fields, rows)
    return Job(
        id=id,
        state=State(fields["state"]),
        queue=fields["queue"],
        actor=fields["actor"],
        priority=int(fields["priority"]),
        created_at_ms=int(fields["created_at"]),
        due_at_ms=_int(fields, "due_at"),
        started_at_ms=_int(fields, "started_at"),
        finished_at_ms=_int(fields, "finished_at"),
        expires_at_ms=_int(fields, "expires_at"),
        attempts=int(fields.get("attempts", 0)),
        crashes=int(fields.get("crashes", 0)),
        max_attempts=int(fields["max_attempts"]),
        max_crashes=int(fields["max_crashes"]),
        worker=deliveries[-1].worker if deliveries else None,
        wait_reason=fields.get("wait_reason"),
        reason=fields.get("reason"),
        parent=fields.get("parent"),
        message=_decode(message),
        has_result="result" in out,
        result=json.loads(out["result"]) if "result" in out else None,
        error=json.loads(out["error"]) if "error" in out else None,
        deliveries=deliveries,
    )


def _decode(message: bytes | None) -> dict[str, Any]:
    try:
        decoded = json.loads(message or b"{}")
    except (ValueError, RecursionError):
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _worker(fields: dict[str, str]) -> str | None:
    token = fields.get("token") or fields.get("ended")
    return token.rpartition(":")[0] if token else None


def _deliveries(fields: dict[str, str], rows: list[bytes]) -> list[Delivery]:
    """The deliveries that ended otherwise are in the list; the running or completed one is in the record."""
    found = [_delivery(row.decode()) for row in reversed(rows)]
    state = fields["state"]
    if state in (State.RUNNING, State.SUCCEEDED):
        found.append(
            Delivery(
                number=int(fields["deliveries"]),
                started_at_ms=int(fields["started_at"]),
                ended_at_ms=_int(fields, "finished_at"),
                worker=_worker(fields) or "",
                outcome="running" if state == State.RUNNING else "complete",
                charged=state == State.SUCCEEDED,
                error=None,
            )
        )
    return found


def _delivery(row: str) -> Delivery:
    number, started_at, ended_at, worker, outcome, charged, error = row.split("\t", 6)
    return Delivery(
        number=int(number),
        started_at_ms=int(started_at),
        ended_at_ms=int(ended_at),
        worker=worker,
        outcome=outcome,
        charged=charged == "1",
        error=json.loads(error) if error else None,
    )
