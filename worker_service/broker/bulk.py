"""What is done to many jobs at once: a job of the service itself does it, chunk by chunk.

It does it to the jobs that matched when it was asked, each once. Those are found by the instant at which the bulk job
was created (see store/matching.py), so one that dies again meanwhile is not put back again; and the bulk job's id is
the nonce under which jobs are put back.

Before a chunk is worked on it is written down (the checkpoint), with all that was counted so far. A delivery that
follows a crash begins with the chunk written down last, and every operation answers the same for a job that was done.
However late that is, what has left its final state since and come back to one ended later, and is left alone.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Literal

import dramatiq
from redis.exceptions import ResponseError

from ..jobs.ids import new_job_id
from ..jobs.states import FINAL, WAITING, State
from ..store import Idempotency, JobFilter, NewJob, Submitted
from ..store.matching import BEGIN, Matching, Position
from .broker import JobBroker
from .interrupts import LeaseLost
from .offered import BULK_ACTOR, SERVICE_QUEUE
from .proxy import CURRENT

Operation = Literal["retry", "cancel", "delete"]

MOST_IDS = 500
"""In one request: their text is an argument of a job."""
COUNT_LIMIT = 100_000
"""Jobs that a count looks at."""

MAY_BE: dict[Operation, tuple[State, ...]] = {
    "retry": (State.DEAD, State.CANCELLED),
    "cancel": tuple(state for state in State if state in WAITING | {State.RUNNING}),
    "delete": tuple(state for state in State if state in FINAL),
}
"""The states in which jobs can be operated on."""

MEANT: dict[Operation, tuple[State, ...]] = {**MAY_BE, "retry": (State.DEAD,)}
"""Those that are meant when none is named: what a person has cancelled comes back only if he says so."""

_DONE: dict[Operation, set[str]] = {
    "retry": {"replayed"},
    "cancel": {"cancelled", "asked"},
    "delete": {"deleted", "unknown"},  # it was there when its chunk was written down
}

_OF = " of "
"""Parts the numbers in the note of the progress."""


def done_so_far(note: str) -> int:
    """How many jobs were done, by the note of a bulk job's progress."""
    number = note.partition(_OF)[0]
    return int(number) if number.isdecimal() else 0


@dataclass(slots=True)
class Work:
    """How far a bulk job is.

    Attributes:
        at: where the next chunk begins; None when there is none.
        ids: of the chunk that is being worked on.
        to_look_at, looked: jobs in the indexes, and how many of them were looked at.
        matched, done, skipped: jobs so far, the last ones by the reason.
    """

    at: Position | None = BEGIN
    ids: list[str] = field(default_factory=list)
    to_look_at: int = 0
    looked: int = 0
    matched: int = 0
    done: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> "Work":
        """What `to_json` wrote."""
        found = json.loads(text)
        return cls(**{**found, "at": tuple(found["at"]) if found["at"] else None})

    def to_json(self) -> str:
        """All of it as text."""
        return json.dumps(asdict(self), separators=(",", ":"))

    def take(self, ids: list[str]) -> None:
        """Begin with a chunk."""
        self.ids = ids
        self.matched += len(ids)

    def count(self, words: list[str], done: set[str]) -> None:
        """Count what became of the chunk."""
        for word in words:
            if word in done:
                self.done += 1
            else:
                self.skip(word)
        self.ids = []

    def skip(self, reason: str, number: int = 1) -> None:
        """Leave jobs out."""
        self.skipped[reason] = self.skipped.get(reason, 0) + number

    def progress(self) -> str:
        """The same for people."""
        percent = min(99, 100 * self.looked // max(1, self.to_look_at))
        if self.at is None and not self.ids:
            percent = 100
        left_out = ", ".join(f"{number} {reason}" for reason, number in self.skipped.items())
        note = f"{self.done}{_OF}{self.matched} done" + (f"; left out: {left_out}" if left_out else "")
        return json.dumps({"percent": percent, "note": note}, separators=(",", ":"))

    def result(self) -> dict[str, Any]:
        """What the job returns."""
        return {"matched": self.matched, "done": self.done, "skipped": self.skipped}


def declare(broker: JobBroker) -> None:
    """Declare the actor; every process that runs or submits jobs does."""

    def bulk(
        operation: Operation,
        ids: list[str] | None = None,
        filter: dict[str, Any] | None = None,  # noqa: A002
    ) -> dict[str, Any]:
        return _Bulk(broker, operation, ids, _read_filter(filter)).run()

    declare_actor: Any = dramatiq.actor(
        broker=broker,
        actor_name=BULK_ACTOR,
        queue_name=SERVICE_QUEUE,
        time_limit=timedelta(days=1) // timedelta(milliseconds=1),
    )
    declare_actor(bulk)


def submit(
    broker: JobBroker,
    operation: Operation,
    ids: list[str] | None,
    wanted: JobFilter,
    idempotency: Idempotency | None = None,
) -> tuple[NewJob, Submitted]:
    """Create the job that does an operation to jobs by their ids, or to all that fit a filter.

    Args:
        ids: at most `MOST_IDS`; if given, ``wanted`` is not looked at.
        wanted: its states are among those of `MAY_BE`.

    Raises:
        IdempotencyKeyReused: the key came with another request before.
        StoreUnavailable: Redis is away; whether the job was created is unknown.
    """
    if ids is not None:
        given: dict[str, Any] = {"ids": ids}
    else:
        given = {"filter": {name: value for name, value in asdict(wanted).items() if value is not None}}
    message = broker.actors[BULK_ACTOR].message(operation=operation, **given)
    named = message.copy(message_id=new_job_id())
    _, job, submitted = broker.submit(named, idempotency=idempotency)
    return job, submitted


def count(broker: JobBroker, ids: list[str] | None, wanted: JobFilter) -> tuple[int, bool]:
    """How many jobs an operation would match now, and whether there may be more beyond `COUNT_LIMIT`.

    Raises:
        StoreUnavailable: Redis is away.
    """
    if ids is not None:
        return len(broker.reads.existing(ids)), False
    return _matching(broker).count(wanted, COUNT_LIMIT)


def _matching(broker: JobBroker) -> Matching:
    return Matching(broker.store.client, broker.store.keys)


class _Bulk:
    """One delivery of a bulk job."""

    def __init__(
        self, broker: JobBroker, operation: Operation, ids: list[str] | None, wanted: JobFilter
    ) -> None:
        job = CURRENT.get()
        assert job is not None
        self._id, self._token = job.claimed.id, job.claimed.token
        self._store, self._reads, self._matching = broker.store, broker.reads, _matching(broker)
        self._operation, self._wanted, self._given = operation, wanted, ids
        self._asked_at, checkpoint = self._reads.checkpoint(self._id)
        self._work = Work.from_json(checkpoint) if checkpoint else self._begin()

    def run(self) -> dict[str, Any]:
        """Do what is left; returns what was done in all."""
        while True:
            self._write_down()
            if self._work.ids:
                self._work.count(self._operate(self._work.ids), _DONE[self._operation])
            if self._work.at is None:
                break
            self._next_chunk(self._work.at)
        self._write_down()
        return self._work.result()

    def _begin(self) -> Work:
        if self._given is None:
            return Work(to_look_at=self._matching.to_look_at(self._wanted, self._asked_at))
        work = Work(at=None)
        work.take(self._reads.existing(self._given))
        if unknown := len(set(self._given)) - work.matched:
            work.skip("unknown", unknown)
        return work

    def _next_chunk(self, at: Position) -> None:
        chunk = self._matching.chunk(self._wanted, at, self._asked_at)
        self._work.at = chunk.next
        self._work.looked += chunk.looked
        self._work.take([id for id in chunk.ids if id != self._id])

    def _write_down(self) -> None:
        if not self._store.progress(self._id, self._token, self._work.progress(), self._work.to_json()):
            raise LeaseLost(f"job {self._id} was taken back")

    def _operate(self, ids: list[str]) -> list[str]:
        if self._operation == "retry":
            return self._store.replay(ids, nonce=self._id, until_ms=self._asked_at)
        if self._operation == "delete":
            return self._store.delete(ids, until_ms=self._asked_at)
        return [self._cancel(id) for id in ids]

    def _cancel(self, id: str) -> str:
        try:
            return self._store.cancel(id)
        except ResponseError:  # a record of another type, which nobody of ours made
            return "damaged"


def _read_filter(given: dict[str, Any] | None) -> JobFilter:
    if given is None:
        return JobFilter()
    return JobFilter(**{**given, "states": tuple(map(State, given["states"]))})
