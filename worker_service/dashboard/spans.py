"""How long a job waited before its newest attempt, and how long that ran."""

from ..jobs.states import State
from ..store import Job

_ATTEMPTED = (State.RUNNING, State.SUCCEEDED, State.DEAD)


def waited_ms(job: Job, now_ms: int) -> int | None:
    """From created, or due, to started, or to now; None where it does not wait for a worker (yet)."""
    if job.state == State.QUEUED:
        end: int | None = now_ms
    else:
        end = job.started_at_ms if job.state in _ATTEMPTED else None
    return None if end is None else max(0, end - (job.due_at_ms or job.created_at_ms))


def ran_ms(job: Job, now_ms: int) -> int | None:
    """From started to finished, or to now; None where no attempt is under way or ended the job."""
    if job.state not in _ATTEMPTED or job.started_at_ms is None:
        return None
    return max(0, (job.finished_at_ms or now_ms) - job.started_at_ms)
