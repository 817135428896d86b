"""The store of simulated jobs: what broker and actors ask of `worker_service.store.Store`, in memory.

It follows the scripts of the store word by word; tests/testing/test_same_as_the_store.py holds both together.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from ..jobs.backoff import CRASH_WAITS_MS
from ..jobs.signature import arguments_by_name
from ..jobs.states import WAITING, State
from ..store import ClaimedJob, Lock, NewJob, Outcome, Submitted
from .clock import Clock
from .groups import Groups
from .locks import Locks
from .record import TestJob
from .running import Running


class NotSimulated(NotImplementedError):
    """Raised where code under test asks the store for what only a real one can do."""


class Memory(Running):
    """Args:
    clock: whose time it is.
    function_of: the function of an actor, by name, if there is one.
    """

    def __init__(self, clock: Clock, function_of: Callable[[str], Callable[..., Any] | None]) -> None:
        self.clock = clock
        self.jobs: dict[str, TestJob] = {}
        super().__init__(self.jobs)
        self._function_of = function_of
        self._locks = Locks(self.jobs, clock, self._expired)
        self._groups = Groups()
        self._places = count(1)

    def __getattr__(self, name: str) -> Any:
        raise NotSimulated(
            f"worker_service.testing has no {name!r}: what needs it is for a test against a running service"
        )

    # What comes in.

    def submit(self, jobs: Sequence[NewJob], *, all_or_none: bool = False) -> list[Submitted]:
        """Create jobs."""
        if self.is_cut_off:
            return [Submitted("created", 0) for _ in jobs]
        return [self._submit(job) for job in jobs]

    def create_group(self, id: str, size: int, keep_ms: int) -> None:
        """Prepare to count the members of a group."""
        self._groups.create(id, size)

    def _submit(self, new: NewJob) -> Submitted:
        due, expires = self._instants(new)
        now = self.clock.now_ms
        if expires is not None and expires <= max(now, due or now) and new.id not in self.jobs:
            return Submitted("too_late", 0)
        word, other = self._create(new)
        if other is None:
            return Submitted(word, self.jobs[new.id].created_at_ms)
        return Submitted(word, other.created_at_ms, other.id, other.actor, other.queue, other.state)

    def _create(self, new: NewJob) -> tuple[str, TestJob | None]:
        if new.id in self.jobs:
            return "exists", None
        now, lock, dead_reason = self.clock.now_ms, new.lock, new.dead_reason
        owner = self._locks.owner(lock) if lock and not dead_reason else None
        if owner and new.group:
            dead_reason = "duplicate"
        elif owner and lock:
            word, other = self._locks.settle(new, lock, owner)
            if word == "replaced" and other:
                self._replace(other, new, lock)
            if word:
                return word, other
        due, expires = self._instants(new)
        job = TestJob(replace(new), self._arguments(new), now, due, expires)
        self.jobs[new.id] = job
        self._groups.tell_callbacks(new)
        if dead_reason:
            job.reason = dead_reason
            self._end(job, State.DEAD)
        elif owner and lock:
            self._locks.follow(job, lock)
            return "follows", None
        else:
            if lock:
                self._locks.take(job, lock)
            self._wait_from_now(job)
        return "created", None

    def _create_all(self, jobs: Iterable[NewJob]) -> None:
        for new in jobs:
            self._create(new)

    def _wait_from_now(self, job: TestJob) -> None:
        if job.due_at_ms is not None and job.due_at_ms > self.clock.now_ms:
            job.state, job.wait_reason = State.SCHEDULED, "asked"
        else:
            job.state, job.place = State.QUEUED, next(self._places)

    def _instants(self, new: NewJob) -> tuple[int | None, int | None]:
        now = self.clock.now_ms
        due, expires = new.run_at_ms, new.expires_at_ms
        if due is None and new.delay_ms is not None:
            due = now + new.delay_ms
        if expires is None and new.expires_in_ms is not None:
            expires = now + new.expires_in_ms
        return due, expires

    def _arguments(self, new: NewJob) -> dict[str, Any]:
        message = json.loads(new.message)
        return arguments_by_name(self._function_of(new.actor), tuple(message["args"]), message["kwargs"])

    def _replace(self, other: TestJob, new: NewJob, lock: Lock) -> None:
        other.new.message, other.args, other.new.tags = new.message, self._arguments(new), new.tags
        due, other.expires_at_ms = self._instants(new)
        if lock.on_conflict == "debounce" and due is not None and other.wait_reason != "unique":
            if lock.max_wait_ms is not None:
                due = min(due, other.created_at_ms + lock.max_wait_ms)
            other.due_at_ms = max(due, self.clock.now_ms)
            other.state, other.wait_reason = State.SCHEDULED, "asked"

    # What runs.

    def next_due_ms(self) -> int | None:
        """When the next job may run; None: nothing waits for its time."""
        waiting = [
            job.due_at_ms if job.state is not State.QUEUED else self.clock.now_ms
            for job in self.jobs.values()
            if job.state in WAITING and job.wait_reason != "unique"
        ]
        return min((at for at in waiting if at is not None), default=None)

    def claim(self, of: str = "", *, queue: str = "") -> ClaimedJob | None:
        """Take the job that is next: by priority, then arrival.

        Args:
            of: id of the only one that is wanted.
            queue: the only one to look into.
        """
        self._promote(queue)
        ready = [
            job
            for job in self.jobs.values()
            if job.state is State.QUEUED and of in ("", job.id) and queue in ("", job.queue)
        ]
        for job in sorted(ready, key=lambda each: (each.new.priority, each.place)):
            if not self._expired(job):
                return self._claim(job)
        return None

    def _promote(self, queue: str) -> None:
        due = [
            job
            for job in self.jobs.values()
            if job.state in (State.SCHEDULED, State.RETRYING)
            and job.wait_reason != "unique"
            and (job.due_at_ms or 0) <= self.clock.now_ms
            and queue in ("", job.queue)
        ]
        for job in sorted(due, key=lambda each: (each.due_at_ms, each.id)):
            job.state, job.place, job.wait_reason = State.QUEUED, next(self._places), ""

    def _claim(self, job: TestJob) -> ClaimedJob:
        job.state = State.RUNNING
        job.token = f"test:{len(job.deliveries) + 1}"
        lock = job.new.lock
        if lock and lock.until == "start" and job.holds_lock:
            self._locks.release(job, lock)
        return ClaimedJob(
            id=job.id,
            token=job.token,
            queue=job.queue,
            attempts=job.attempts,
            crashes=job.crashes,
            max_attempts=job.new.max_attempts,
            message=job.new.message,
            snoozes=job.snoozes,
            snoozed_ms=job.snoozed_ms,
        )

    def finish(self, outcome: Outcome) -> None:
        """Record how a delivery ended, and what follows from it."""
        job = self.jobs[outcome.id]
        job.deliveries.append(outcome.verb)
        if outcome.error:
            job.error = json.loads(outcome.error)
        match outcome.verb:
            case "complete":
                job.result_text = outcome.result
                job.error = None
                self._end(job, State.SUCCEEDED)
            case "retry" | "snooze":
                self._wait_again(job, outcome)
            case "dead_letter":
                job.attempts += int(outcome.charged)
                job.reason = outcome.reason
                self._end(job, State.DEAD)
            case "cancel":
                self._end(job, State.CANCELLED)
            case verb:
                raise NotSimulated(f"worker_service.testing has no {verb!r}")
        for follow_up in outcome.follow_ups:
            word, other = self._create(follow_up)
            if other:
                job.log.append(
                    f"{word}: the follow-up {follow_up.actor} was not created, for {other.id} does its work"
                )
        if outcome.verb == "complete":
            self._create_all(self._groups.completed(job))

    def crash(self, id: str) -> None:
        """The process died that ran a job."""
        job = self.jobs[id]
        job.deliveries.append("crash")
        job.crashes += 1
        job.token = ""
        if job.crashes >= job.new.max_crashes:
            job.reason = "worker_lost"
            job.error = {"type": "WorkerLost", "message": "its worker process died", "traceback": ""}
            self._end(job, State.DEAD)
            return
        job.due_at_ms = self.clock.now_ms + CRASH_WAITS_MS[0 if job.crashes == 1 else 1]
        job.state, job.wait_reason = State.RETRYING, "crash"

    def _wait_again(self, job: TestJob, outcome: Outcome) -> None:
        job.due_at_ms = self.clock.now_ms + outcome.delay_ms
        job.wait_reason = outcome.reason
        if outcome.message:
            job.new.message = outcome.message
        if outcome.verb == "retry":
            job.state, job.attempts = State.RETRYING, job.attempts + 1
        else:
            job.state = State.SCHEDULED
            job.snoozes, job.snoozed_ms = job.snoozes + 1, job.snoozed_ms + outcome.delay_ms

    def _expired(self, job: TestJob) -> bool:
        at = job.expires_at_ms
        if job.state not in (State.QUEUED, State.SCHEDULED) or at is None or at > self.clock.now_ms:
            return False
        if job.deliveries:  # it was begun in time
            return False
        if job.wait_reason == "unique" and job.new.lock:
            self._locks.follow_no_more(job.new.lock)
        self._end(job, State.EXPIRED)
        return True

    def _end(self, job: TestJob, state: State) -> None:
        job.state, job.wait_reason, job.token = state, "", ""
        lock = job.new.lock
        if lock and job.holds_lock and not (state is State.DEAD and lock.until == "success"):
            self._locks.release(job, lock)
        if state is not State.SUCCEEDED:
            self._create_all(self._groups.failed(job))

    # What broker and results read.

    def job(self, id: str) -> TestJob | None:
        """A job by its id."""
        return self.jobs.get(id)

    def wait_until_final(self, id: str, seconds: float) -> TestJob | None:
        """A job by its id; nothing runs meanwhile, so nothing is waited for."""
        return self.jobs.get(id)
