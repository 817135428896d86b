"""Why a job is not running and when it will, in words of a closed vocabulary and in sentences for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..jobs.instants import to_text
from ..jobs.states import State
from ..store import Circumstances, Job, Queries
from ..store.overview import Pause
from ..store.workers import Worker


class Code(StrEnum):
    """What keeps a job, or became of it."""

    IN_LINE = "in_line"
    """It may be claimed; others come first, or no thread is idle."""
    DUE_LATER = "due_later"
    """Whoever asked for it wanted it later."""
    RETRY = "retry"
    """An attempt failed; the next one comes later."""
    CRASH = "crash"
    """Its worker process died; it starts again later."""
    SNOOZE = "snooze"
    """It put itself off."""
    UNKNOWN_ACTOR = "unknown_actor"
    """A worker process that does not know its actor has put it back for a while."""
    UNIQUE = "unique"
    """It follows another job that does the same work."""
    QUEUE_PAUSED = "queue_paused"
    """Jobs of its queue are not started."""
    NO_WORKER_FOR_QUEUE = "no_worker_for_queue"
    """No live worker process takes jobs from its queue."""
    NO_WORKER_FOR_ACTOR = "no_worker_for_actor"
    """None of those that take jobs from its queue knows its actor."""
    RUNNING = "running"
    """A worker process runs it."""
    STOPPING = "stopping"
    """It runs, and was asked to stop."""
    WORKER_LOST = "worker_lost"
    """Nothing was heard of the process that runs it; it is taken back soon."""
    SUCCEEDED = "succeeded"
    DEAD = "dead"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Reason:
    """One word, and a sentence."""

    code: Code
    detail: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one job.

    Attributes:
        reasons: all that has to pass; one when it has ended, runs or only waits in line.
        position: among the jobs of its queue that may be claimed, the next one being 1.
        starts_at_ms: the earliest instant, where one is known.
        other: id of the job that it follows.
        worker: the process that runs it.
        pause: of its queue.
    """

    job: Job
    reasons: list[Reason]
    position: int | None = None
    starts_at_ms: int | None = None
    other: str | None = None
    worker: str | None = None
    pause: Pause | None = None


def explain(reads: Queries, job: Job, *, now_ms: int | None = None) -> Explanation:
    """Why a job is where it is.

    Args:
        job: as it was read a moment ago.
        now_ms: replaces the server's clock, for tests.

    Raises:
        StoreUnavailable: Redis is away.
    """
    around = reads.circumstances(job, now_ms=now_ms)
    if job.is_final:
        return Explanation(job, [_end(job)])
    if job.state is State.RUNNING:
        return Explanation(job, [_run(job, around)], worker=job.worker)
    reasons = list(_hindrances(job, around))
    return Explanation(
        job,
        reasons or [_line(around)],
        position=around.position,
        starts_at_ms=_earliest(around, {reason.code for reason in reasons}),
        other=around.owner if job.wait_reason == "unique" else None,
        pause=around.pause,
    )


def _end(job: Job) -> Reason:
    at = to_text(job.finished_at_ms)
    error = f" {job.error['type']}: {job.error['message']}" if job.error else ""
    says = {
        State.SUCCEEDED: f"It succeeded at {at}.",
        State.DEAD: f"It was given up at {at} ({job.reason}).{error}",
        State.CANCELLED: f"Somebody, or another job of the same work, stopped it at {at}.",
        State.EXPIRED: f"It had not started before its deadline, {to_text(job.expires_at_ms)}.",
    }
    return Reason(Code(job.state.value), says[job.state])


def _run(job: Job, around: Circumstances) -> Reason:
    since = f"since {to_text(job.started_at_ms)}"
    if around.lease_ends_at_ms is None or around.lease_ends_at_ms <= around.at_ms:
        return Reason(
            Code.WORKER_LOST, f"It ran {since}, and its worker process is silent: it is taken back soon."
        )
    where = next(
        (f" ({worker.host}, pid {worker.pid})" for worker in around.workers if worker.id == job.worker), ""
    )
    if around.is_cancel_asked:
        return Reason(Code.STOPPING, f"The worker process {job.worker}{where} was asked to stop it.")
    return Reason(Code.RUNNING, f"It has been running {since} in the worker process {job.worker}{where}.")


def _hindrances(job: Job, around: Circumstances) -> Iterator[Reason]:
    """All that has to pass before it can start."""
    if job.wait_reason == "unique":
        yield Reason(
            Code.UNIQUE, f"The job {around.owner} does the same work: this one follows when that ends."
        )
    elif around.due_at_ms is not None and around.due_at_ms > around.at_ms:
        yield _wait(job, to_text(around.due_at_ms))
    if around.pause is not None:
        until = to_text(around.pause.until_ms)
        end = f"until {until}" if until else "until somebody resumes it"
        by = f" by {around.pause.by}" if around.pause.by else ""
        yield Reason(Code.QUEUE_PAUSED, f"The queue '{job.queue}' is paused{by} {end}: {around.pause.reason}")
    serving = [worker for worker in around.workers if worker.serves(job.queue) and not _is_leaving(worker)]
    if not serving:
        yield Reason(
            Code.NO_WORKER_FOR_QUEUE, f"No live worker process takes jobs from the queue '{job.queue}'."
        )
    elif not any(worker.knows(job.actor) for worker in serving):
        yield Reason(
            Code.NO_WORKER_FOR_ACTOR,
            f"Of {len(serving)} live worker processes that take jobs from the queue '{job.queue}' none knows the "
            f"actor '{job.actor}'.",
        )


def _is_leaving(worker: Worker) -> bool:
    """Whether it was asked to take no more jobs."""
    return worker.quiet_at_ms is not None or worker.stop_at_ms is not None


def _wait(job: Job, until: str | None) -> Reason:
    error = f" ({job.error['type']}: {job.error['message']})" if job.error else ""
    says = {
        Code.RETRY: f"Attempt {job.attempts} of {job.max_attempts} failed{error}: the next one is due at {until}.",
        Code.CRASH: f"Its worker process died while it ran ({job.crashes} of {job.max_crashes}): it is due again at "
        f"{until}.",
        Code.SNOOZE: f"It has put itself off until {until}.",
        Code.UNKNOWN_ACTOR: f"A worker process that does not know its actor has put it back until {until}.",
    }
    code = Code(job.wait_reason) if job.wait_reason in {known.value for known in says} else Code.DUE_LATER
    return Reason(code, says.get(code, f"It is wanted at {until}."))


def _line(around: Circumstances) -> Reason:
    if around.position is None:
        return Reason(Code.IN_LINE, "It is due, and starts as soon as a worker has an idle thread.")
    place = f"It is number {around.position} of {around.depth} in its queue"
    return Reason(Code.IN_LINE, f"{place}, and starts when a worker has an idle thread for it.")


def _earliest(around: Circumstances, codes: set[Code]) -> int | None:
    """None when that is up to somebody else, or to how long the jobs before it run."""
    if codes & {Code.UNIQUE, Code.NO_WORKER_FOR_QUEUE, Code.NO_WORKER_FOR_ACTOR} or not codes:
        return None
    if around.pause is not None and around.pause.until_ms is None:
        return None
    instants = [around.due_at_ms or 0, (around.pause.until_ms or 0) if around.pause else 0]
    return max(instants) or None
