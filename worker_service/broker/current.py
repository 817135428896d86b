"""The job that runs here, for code that wants to know: an id to make a repeat recognisable, the attempt."""

from dataclasses import dataclass

from ..jobs.errors import NoCurrentJob
from .proxy import CURRENT


@dataclass(frozen=True, slots=True)
class CurrentJob:
    """The job that an actor's function is running for.

    Attributes:
        id: the same in every attempt.
        attempt: one more than those charged to the job so far; the same again after a hand-back.
    """

    id: str
    attempt: int


def current_job() -> CurrentJob:
    """The job of this thread, greenlet or coroutine.

    A thread that an actor starts by itself belongs to no job; give it what it needs.

    Raises:
        NoCurrentJob: no job runs here.
    """
    job = CURRENT.get()
    if job is None:
        raise NoCurrentJob(
            "no job runs here: current_job() is for the code of an actor, in the thread it was called in"
        )
    return CurrentJob(job.message_id, job.claimed.attempts + 1)
