"""Whether a worker process gets on with its work, as its keeper sees it from outside.

A process is stalled that does not do what it owes for `STALLED_LEASES` leases: a claim, while jobs wait that it has an
idle thread for; the start of a job it holds, while a thread is idle; the write of an outcome. Threads that all run
jobs owe nothing: those have time limits. Nor does a process that has not begun, was asked to take no more, or stops.

Whatever comes between two looks makes them begin anew: an outage, which a restart would not end; a pause of the
keeper itself, be it of the whole container or machine, or for want of a processor.
"""

from collections.abc import Callable
from typing import NamedTuple, get_args

from ..store.workers import Duty
from .page import Page
from .signs import Sign

STALLED_LEASES = 2
ENDED_LEASES = 20
"""When the keeper ends a process that is stalled; see docs/decisions/0018-stalled-workers-are-ended.md."""

LOOKS_PER_LEASE = 15
ASKS_PER_LEASE = 3
LONGEST_GAP_LEASES = 0.5
SHORTEST_GAP_SECONDS = 1.0

_DUTIES: tuple[Duty, ...] = get_args(Duty)


class Stall(NamedTuple):
    """A duty that is not done, and for how many seconds."""

    duty: Duty
    seconds: float


class Progress:
    """Args:
    page: where the process notes what it does.
    lease_seconds: by which all is measured.
    jobs_wait: whether the store has a job that the process could claim.
    """

    def __init__(self, page: Page, lease_seconds: float, jobs_wait: Callable[[], bool]) -> None:
        self._page = page
        self._jobs_wait = jobs_wait
        self._ask_seconds = lease_seconds / ASKS_PER_LEASE
        self._gap_seconds = max(lease_seconds * LONGEST_GAP_LEASES, SHORTEST_GAP_SECONDS)
        self._stalled_seconds = lease_seconds * STALLED_LEASES
        self._looked_at = 0.0
        self._waits = _Waits()
        self._beats = _Unmoved()
        self._duties = {duty: _Unmoved() for duty in _DUTIES}

    def look(self, now: float) -> None:
        """Compare with the look before.

        Args:
            now: on the monotonic clock.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if now - self._looked_at > self._gap_seconds:
            self.begin_anew()
        self._looked_at = now
        note, page = self._page.noted, self._page
        threads, held, started = note(Sign.THREADS), note(Sign.HELD), len(page.started())
        is_idle = started < threads
        self._beats.look(now, note(Sign.BEATS))
        self._duties["start"].look(now, page.moves(), is_owed=is_idle and held > started)
        self._duties["write"].look(
            now, note(Sign.WRITES), is_owed=threads > 0 and note(Sign.ENDED) > note(Sign.WRITTEN)
        )
        may_claim = is_idle and not (note(Sign.ALONE) and held)
        self._duties["claim"].look(now, note(Sign.ROUNDS), is_owed=may_claim and self._somebody_waits(now))

    def begin_anew(self) -> None:
        """What was seen so far says nothing."""
        self._waits = _Waits()
        self._beats = _Unmoved()
        self._duties = {duty: _Unmoved() for duty in _DUTIES}

    def stall(self) -> Stall | None:
        """What is not done for the longest time, if that is long; by the last look."""
        duty, seconds = max(
            ((duty, unmoved.seconds) for duty, unmoved in self._duties.items()), key=lambda each: each[1]
        )
        return Stall(duty, seconds) if seconds >= self._stalled_seconds else None

    def is_held_by_a_job(self) -> bool:
        """Whether no Python code runs but perhaps that of jobs: one that holds the interpreter has a time limit."""
        return bool(self._page.started()) and self._beats.seconds >= self._stalled_seconds / 2

    def _somebody_waits(self, now: float) -> bool:
        if now >= self._waits.ask_at:
            self._waits = _Waits(now + self._ask_seconds, self._jobs_wait())
        return self._waits.answer


class _Waits(NamedTuple):
    """Whether jobs wait, and when to ask again."""

    ask_at: float = 0.0
    answer: bool = False


class _Unmoved:
    """For how long a count has stood still although it should move."""

    def __init__(self) -> None:
        self._count: int | None = None
        self._since = 0.0
        self.seconds = 0.0

    def look(self, now: float, count: int, *, is_owed: bool = True) -> None:
        if not is_owed or count != self._count:
            self._count, self._since = count, now
        self.seconds = now - self._since
