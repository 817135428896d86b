"""What a job's next start depends on: its place, its queue, and the worker processes."""

from dataclasses import dataclass

import redis

from .connection import translated
from .job_record import Job
from .keys import Keys
from .overview import MOST_WORKERS, Pause, read_pause
from .workers import Worker, Workers


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Of one job, at one instant.

    Attributes:
        at_ms: the instant, on the server's clock.
        position, depth: its place among the jobs of its queue that may be claimed, the next one being 1, and how many
            there are; no position when it is none of them.
        due_at_ms: when it may be claimed; None when nothing is known of it.
        pause: of its queue, None when jobs of it are started.
        owner: id of the job that holds its uniqueness lock.
        is_cancel_asked: somebody has asked to stop it while it ran.
        lease_ends_at_ms: of the process that runs it.
        workers: the processes that live.
    """

    at_ms: int
    position: int | None
    depth: int
    due_at_ms: int | None
    pause: Pause | None
    owner: str | None
    is_cancel_asked: bool
    lease_ends_at_ms: int | None
    workers: list[Worker]


def circumstances(client: redis.Redis, keys: Keys, job: Job, *, now_ms: int | None = None) -> Circumstances:
    """Read them.

    Args:
        job: a moment ago; it may have moved since.
        now_ms: replaces the server's clock, for tests.

    Raises:
        StoreUnavailable: Redis is away.
    """
    with translated():
        with client.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.zrank(keys.ready(job.queue), job.id)
            pipe.zcard(keys.ready(job.queue))
            pipe.zscore(keys.due(job.queue), job.id)
            pipe.hget(keys.paused, job.queue)
            pipe.hget(keys.unique(job.unique_key or ""), "owner")
            pipe.hexists(keys.job(job.id), "cancel_asked")
            pipe.zscore(keys.sessions, job.worker or "")
            (seconds, micros), rank, depth, due, paused, owner, cancel_asked, lease_end = pipe.execute()
        at_ms = seconds * 1000 + micros // 1000 if now_ms is None else now_ms
        pause = read_pause(paused.decode()) if paused else None
        return Circumstances(
            at_ms=at_ms,
            position=None if rank is None else rank + 1,
            depth=depth,
            due_at_ms=None if due is None or due == float("inf") else int(due),
            pause=pause if pause and (pause.until_ms is None or pause.until_ms > at_ms) else None,
            owner=owner.decode() if owner else None,
            is_cancel_asked=bool(cancel_asked),
            lease_ends_at_ms=None if lease_end is None else int(lease_end),
            workers=Workers(client, keys).live(MOST_WORKERS, now_ms=now_ms),
        )
