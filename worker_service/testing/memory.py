"""The store of simulated jobs: what broker and actors ask of `worker_service.store.Store`, in memory.

It follows the scripts of the store word by word; tests/testing/test_same_as_the_store.py holds both together.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from ..jobs.backoff import CRASH_WAITS_MS
from ..jobs.signature import arguments_by_name
from ..jobs.states import State
from ..jobs.steps import STEPS_LIMIT
from ..store import ClaimedJob, Lock, NewJob, Outcome, Submitted
from .clock import Clock
from .record import TestJob

_WAITING = (State.QUEUED, State.SCHEDULED, State.RETRYING)


class NotSimulated(NotImplementedError):
    """Raised where code under test asks the store for what only a real one can do."""


@dataclass(slots=True)
class _Held:
    """A lock: its owner, the one that follows, and when it ends by itself."""

    owner: str
    next: str = ""
    ends_at_ms: int | None = None


@dataclass(slots=True)
class _Group:
    size: int = 0
    joined: set[str] = field(default_factory=set)
    failed: bool = False
    callbacks: tuple[NewJob, ...] = ()


class Memory:
    """Args:
    clock: whose time it is.
    function_of: the function of an actor, by name, if there is one.
    """

    def __init__(self, clock: Clock, function_of: Callable[[str], Callable[..., Any] | None]) -> None:
        self.clock = clock
        self._function_of = function_of
        self.jobs: dict[str, TestJob] = {}
        self.is_cut_off = False
        """The process has died: what its code still says while it is left reaches nobody."""
        self._locks: dict[str, _Held] = {}
        self._groups: dict[str, _Group] = {}
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
        group = self._group(id)
        group.size = group.size or size

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
        owner = self._owner(lock.digest) if lock and not dead_reason else None
        if owner and new.group:
            dead_reason = "duplicate"
        elif owner and lock:
            word, other = self._settle(new, lock, owner)
            if word == "replaced" and other:
                self._replace(other, new, lock)
            if word:
                return word, other
        due, expires = self._instants(new)
        job = TestJob(replace(new), self._arguments(new), now, due, expires)
        self.jobs[new.id] = job
        if new.group and new.callbacks and not self._group(new.group).callbacks:
            self._group(new.group).callbacks = new.callbacks
        if dead_reason:
            job.reason = dead_reason
            self._end(job, State.DEAD)
        elif owner and lock:
            self._locks[lock.digest].next = new.id
            job.state, job.wait_reason = State.SCHEDULED, "unique"
            return "follows", None
        else:
            if lock:
                self._take_lock(job, lock)
            self._wait_from_now(job)
        return "created", None

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

    # What runs.

    def next_due_ms(self) -> int | None:
        """When the next job may run; None: nothing waits for its time."""
        waiting = [
            job.due_at_ms if job.state is not State.QUEUED else self.clock.now_ms
            for job in self.jobs.values()
            if job.state in _WAITING and job.wait_reason != "unique"
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
            self._release(job, lock)
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
        if outcome.verb == "complete" and job.new.group and job.new.is_member:
            self._join(job.new.group, job)

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
            self._locks[job.new.lock.digest].next = ""
        self._end(job, State.EXPIRED)
        return True

    def _end(self, job: TestJob, state: State) -> None:
        job.state, job.wait_reason, job.token = state, "", ""
        lock = job.new.lock
        if lock and job.holds_lock and not (state is State.DEAD and lock.until == "success"):
            self._release(job, lock)
        if state is not State.SUCCEEDED and job.new.group:
            self._fail_group(self._group(job.new.group))

    # What a running job says of itself.

    def is_held(self, id: str, token: str) -> bool:
        """Whether this delivery still counts."""
        return not self.is_cut_off and self.jobs[id].token == token

    def progress(self, id: str, token: str, progress: str, checkpoint: str = "") -> bool:
        """Note how far a job is."""
        if self.is_held(id, token):
            self.jobs[id].progress = json.loads(progress)
        return True

    def log(self, id: str, token: str, line: str) -> bool:
        """Add a line to its log."""
        if self.is_held(id, token):
            self.jobs[id].log.append(line)
        return True

    def begin_step(self, id: str, token: str, step: str, *, over: bool = False) -> tuple[str, str]:
        """Note that it is about to do what must happen once."""
        job = self.jobs[id]
        if not self.is_held(id, token):
            return "stale", ""
        state = job.steps.get(step)
        if state == "done":
            return "done", job.results[step]
        if state and job.begun_by[step] != token and not over:
            return "unknown", ""
        if not state and len(job.steps) >= STEPS_LIMIT:
            return "too_many", ""
        job.steps[step], job.begun_by[step] = "begun", token
        return "begun", ""

    def end_step(self, id: str, token: str, step: str, outcome: str, result: str = "") -> bool:
        """Note how that ended."""
        job = self.jobs[id]
        if not self.is_held(id, token):
            return False
        if job.steps.get(step) == "done":
            return True
        if outcome == "not_done":
            job.steps.pop(step, None)
        else:
            job.steps[step], job.results[step] = "done", result
        return True

    # What broker and results read.

    def job(self, id: str) -> TestJob | None:
        """A job by its id."""
        return self.jobs.get(id)

    def wait_until_final(self, id: str, seconds: float) -> TestJob | None:
        """A job by its id; nothing runs meanwhile, so nothing is waited for."""
        return self.jobs.get(id)

    # Locks.

    def _owner(self, digest: str) -> TestJob | None:
        held = self._locks.get(digest)
        while held:
            if held.ends_at_ms is not None:
                if held.ends_at_ms > self.clock.now_ms:
                    self._expired(self.jobs[held.owner])  # the window goes on all the same
                    return self.jobs[held.owner]
                del self._locks[digest]
                return None
            owner = self.jobs[held.owner]
            if not self._expired(owner):
                if held.next:
                    self._expired(self.jobs[held.next])
                return owner
            held = self._locks.get(digest)
        return None

    def _take_lock(self, job: TestJob, lock: Lock) -> None:
        window = int(lock.until) if lock.until.isdigit() else None
        ends = None if window is None else self.clock.now_ms + window
        self._locks[lock.digest] = _Held(job.id, ends_at_ms=ends)
        job.holds_lock = window is None

    def _release(self, job: TestJob, lock: Lock) -> None:
        job.holds_lock = False
        held = self._locks.pop(lock.digest)
        if held.next:
            heir = self.jobs[held.next]
            assert heir.new.lock
            self._take_lock(heir, heir.new.lock)
            heir.wait_reason = "asked"
            heir.due_at_ms = max(self.clock.now_ms, heir.due_at_ms or 0)

    def _settle(self, new: NewJob, lock: Lock, owner: TestJob) -> tuple[str, TestJob | None]:
        """What becomes of a job whose work somebody else owns; an empty word when it is to follow that one."""
        held = self._locks[lock.digest]
        if lock.on_conflict == "return":
            return "duplicate", owner
        if lock.on_conflict == "reject":
            return "rejected", owner
        if lock.on_conflict == "keep_last" and held.next:
            heir = self.jobs[held.next]
            return ("replaced" if _is_replaceable(heir, new) else "rejected"), heir
        if _is_replaceable(owner, new):
            return "replaced", owner
        goes_on = owner.state in _WAITING or owner.state is State.RUNNING
        if lock.on_conflict != "keep_last" or held.ends_at_ms is not None or not goes_on:
            return "rejected", owner
        return "", None

    def _replace(self, other: TestJob, new: NewJob, lock: Lock) -> None:
        other.new.message, other.args, other.new.tags = new.message, self._arguments(new), new.tags
        due, other.expires_at_ms = self._instants(new)
        if lock.on_conflict == "debounce" and due is not None and other.wait_reason != "unique":
            if lock.max_wait_ms is not None:
                due = min(due, other.created_at_ms + lock.max_wait_ms)
            other.due_at_ms = max(due, self.clock.now_ms)
            other.state, other.wait_reason = State.SCHEDULED, "asked"

    # Groups.

    def _group(self, id: str) -> _Group:
        return self._groups.setdefault(id, _Group())

    def _join(self, id: str, job: TestJob) -> None:
        group = self._group(id)
        if not group.size or job.id in group.joined:
            return
        group.joined.add(job.id)
        if len(group.joined) >= group.size:
            del self._groups[id]
            for each in group.callbacks:
                self._create(each)

    def _fail_group(self, group: _Group) -> None:
        if not group.size or group.failed:
            return
        group.failed = True
        for each in group.callbacks:
            self._create(replace(each, dead_reason="group_failed"))


def _is_replaceable(job: TestJob, new: NewJob) -> bool:
    fixed = job.new.lock is not None and job.new.lock.is_fixed
    return job.state in _WAITING and job.actor == new.actor and not job.deliveries and not fixed
