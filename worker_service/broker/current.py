"""The job that runs here, for code that wants to know: who it is, whether it goes on, what it has done so far."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from dramatiq.logging import get_logger

from ..jobs.errors import NoCurrentJob, StoreUnavailable
from ..jobs.masking import scrubbed
from .interrupts import JobCancelled, LeaseLost
from .proxy import CURRENT, JobProxy, Notes
from .submission import TICK, TRACEPARENT

NOTE_LIMIT = 500
LINE_LIMIT = 4000

logger = get_logger(__name__)


class CurrentJob:
    """The job that an actor's function is running for."""

    def __init__(self, job: JobProxy) -> None:
        self._job = job

    @property
    def id(self) -> str:
        """The same in every attempt."""
        return str(self._job.message_id)

    @property
    def token(self) -> str:
        """Names this delivery; no other one has the same."""
        return self._job.claimed.token

    @property
    def attempt(self) -> int:
        """One more than those charged to the job so far; the same again after a hand-back."""
        return self._job.claimed.attempts + 1

    @property
    def is_last_attempt(self) -> bool:
        """Whether a failure of this attempt makes the job dead."""
        return self.attempt >= self._job.claimed.max_attempts

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked the job to stop. Python code is interrupted as well; for loops in C, ask."""
        return self._job.is_cancelled

    @property
    def tick(self) -> datetime | None:
        """The nominal instant for which a schedule made the job: the same however late it runs."""
        tick_ms = self._job.options.get(TICK)
        return None if tick_ms is None else datetime.fromtimestamp(tick_ms / 1000, UTC)

    @property
    def traceparent(self) -> str | None:
        """The trace that the job belongs to, as W3C Trace Context writes it; what the job sends belongs to it too."""
        found = self._job.options.get(TRACEPARENT)
        return found if isinstance(found, str) else None

    def idempotency_key(self, step: str) -> str:
        """The same text in every attempt, for a service that does nothing twice under one key.

        Args:
            step: names what is done, if a job does several such things.
        """
        return f"{self.id}:{step}"

    def progress(self, percent: float, note: str = "") -> None:
        """Show people how far the job is.

        Args:
            percent: 0 to 100.
            note: a few words, cut after 500 characters.

        Raises:
            ValueError: percent is outside of 0 to 100.
            LeaseLost: the job was taken back; another process may be running it.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"percent={percent}: use 0 to 100")
        text = json.dumps(
            {"percent": percent, "note": scrubbed(note, self._job.secrets)[:NOTE_LIMIT]},
            separators=(",", ":"),
        )
        self._write(lambda notes: notes.store.progress(self.id, self.token, text))

    def log(self, line: str) -> None:
        """Add a line to the job's own log; the newest thousand or so are kept as long as the job.

        Raises:
            LeaseLost: the job was taken back; another process may be running it.
        """
        self._write(
            lambda notes: notes.store.log(self.id, self.token, scrubbed(line, self._job.secrets)[:LINE_LIMIT])
        )

    def still_mine(self) -> bool:
        """Ask the store whether this delivery still counts: before a step that must not be done by two.

        Raises:
            StoreUnavailable: Redis is away, so nobody knows.
        """
        return self._notes.reads.is_held(self.id, self.token)

    def raise_if_stopped(self) -> None:
        """End here when the job was cancelled or taken back; for loops that interrupts do not reach.

        Raises:
            JobCancelled: somebody asked it to stop.
            LeaseLost: the job was taken back.
        """
        if self.is_cancelled:
            raise JobCancelled(f"job {self.id} was cancelled")
        if not self.still_mine():
            raise LeaseLost(f"job {self.id} was taken back")

    def _write(self, write: Callable[[Notes], bool]) -> None:
        """A note that cannot be written now is left out: it is not worth a failed attempt."""
        try:
            if not write(self._notes):
                raise LeaseLost(f"job {self.id} was taken back")
        except StoreUnavailable as error:
            logger.warning("A note of job %s was not written: %s", self.id, error)

    @property
    def _notes(self) -> Notes:
        assert self._job.notes is not None
        return self._job.notes


def current_job() -> CurrentJob:
    """The job of this thread, greenlet or coroutine.

    A thread that an actor starts by itself belongs to no job; give it what it needs.

    Raises:
        NoCurrentJob: no job runs here.
    """
    return CurrentJob(current_delivery())


def current_delivery() -> JobProxy:
    """The same, for code of the broker.

    Raises:
        NoCurrentJob: no job runs here.
    """
    job = CURRENT.get()
    if job is None:
        raise NoCurrentJob(
            "no job runs here: this is for the code of an actor, in the thread it was called in"
        )
    return job
