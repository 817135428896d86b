"""Which simulated job does a piece of work, and which follows it: lua/lib/unique.lua and create.lua in Python."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..jobs.states import WAITING, State
from ..store import Lock, NewJob
from .clock import Clock
from .record import TestJob


@dataclass(slots=True)
class _Held:
    """A lock: its owner, the one that follows, and when it ends by itself."""

    owner: str
    next: str = ""
    ends_at_ms: int | None = None


class Locks:
    """Args:
    jobs: by their ids.
    clock: by which windows end.
    expired: ends a job whose deadline has passed, and says whether it has.
    """

    def __init__(self, jobs: Mapping[str, TestJob], clock: Clock, expired: Callable[[TestJob], bool]) -> None:
        self._jobs, self._clock, self._expired = jobs, clock, expired
        self._held: dict[str, _Held] = {}

    def owner(self, lock: Lock) -> TestJob | None:
        """The job that does this work, if any does."""
        held = self._held.get(lock.digest)
        while held:
            if held.ends_at_ms is not None:
                if held.ends_at_ms > self._clock.now_ms:
                    self._expired(self._jobs[held.owner])  # the window goes on all the same
                    return self._jobs[held.owner]
                del self._held[lock.digest]
                return None
            owner = self._jobs[held.owner]
            if not self._expired(owner):
                if held.next:
                    self._expired(self._jobs[held.next])
                return owner
            held = self._held.get(lock.digest)
        return None

    def take(self, job: TestJob, lock: Lock) -> None:
        """Nobody owns it: now this job does."""
        window = int(lock.until) if lock.until.isdigit() else None
        ends = None if window is None else self._clock.now_ms + window
        self._held[lock.digest] = _Held(job.id, ends_at_ms=ends)
        job.holds_lock = window is None

    def follow(self, job: TestJob, lock: Lock) -> None:
        """This job waits for the end of the owner."""
        self._held[lock.digest].next = job.id
        job.state, job.wait_reason = State.SCHEDULED, "unique"

    def follow_no_more(self, lock: Lock) -> None:
        """What follows the owner has ended."""
        self._held[lock.digest].next = ""

    def release(self, job: TestJob, lock: Lock) -> None:
        """The owner gives it up: what follows takes its place, and may run."""
        job.holds_lock = False
        held = self._held.pop(lock.digest)
        if held.next:
            heir = self._jobs[held.next]
            assert heir.new.lock
            self.take(heir, heir.new.lock)
            heir.wait_reason = "asked"
            heir.due_at_ms = max(self._clock.now_ms, heir.due_at_ms or 0)

    def settle(self, new: NewJob, lock: Lock, owner: TestJob) -> tuple[str, TestJob | None]:
        """What becomes of a job whose work somebody else owns; an empty word when it is to follow that one."""
        held = self._held[lock.digest]
        if lock.on_conflict == "return":
            return "duplicate", owner
        if lock.on_conflict == "reject":
            return "rejected", owner
        if lock.on_conflict == "keep_last" and held.next:
            heir = self._jobs[held.next]
            return ("replaced" if _is_replaceable(heir, new) else "rejected"), heir
        if _is_replaceable(owner, new):
            return "replaced", owner
        goes_on = owner.state in WAITING or owner.state is State.RUNNING
        if lock.on_conflict != "keep_last" or held.ends_at_ms is not None or not goes_on:
            return "rejected", owner
        return "", None


def _is_replaceable(job: TestJob, new: NewJob) -> bool:
    fixed = job.new.lock is not None and job.new.lock.is_fixed
    return job.state in WAITING and job.actor == new.actor and not job.deliveries and not fixed
