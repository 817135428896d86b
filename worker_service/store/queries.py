"""Reads: nothing here decides or changes anything."""

import time
from collections.abc import Sequence
from typing import Any

import redis

from ..jobs.errors import StoreFull, StoreUnavailable
from ..jobs.states import FINAL, State
from .circumstances import Circumstances, circumstances
from .connection import translated
from .fitness import check_fitness
from .job_record import Job, LogLine, read_job, text_of
from .keys import Keys
from .watcher import LOST, RETRY_SECONDS, Watcher

ENDS = frozenset({*(state.value for state in FINAL), "removed", LOST})
"""Words after which a job may have ended."""


class Queries:
    """What can be asked of one namespace.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._client = client
        self.keys = Keys(namespace)
        self.watcher = Watcher(client, self.keys)

    def job(self, id: str) -> Job | None:
        """The job with this id, in one round trip; None when it is unknown or pruned."""
        return next(iter(self.jobs([id])), None)

    def jobs(self, ids: Sequence[str], *, brief: bool = False) -> list[Job]:
        """The jobs with these ids, in one round trip; what is unknown or pruned is left out.

        Args:
            brief: without message, result, deliveries and steps, which may be large.
        """
        try:
            return self._read(ids, brief=brief, at_once=not brief)
        except StoreFull:  # a full server refuses every transaction, also one that only reads
            return self._read(ids, brief=brief, at_once=False)

    def _read(self, ids: Sequence[str], *, brief: bool, at_once: bool) -> list[Job]:
        with translated(), self._client.pipeline(transaction=at_once) as pipe:
            for id in ids:
                pipe.hgetall(self.keys.job(id))
                if brief:
                    pipe.hmget(self.keys.out(id), "error", "progress")
                else:
                    pipe.hgetall(self.keys.out(id))
                    pipe.get(self.keys.msg(id))
                    pipe.lrange(self.keys.attempts(id), 0, -1)
                    pipe.hgetall(self.keys.step(id))
            replies = pipe.execute(raise_on_error=False)  # of keys of another type, which nobody of ours made
        width = 2 if brief else 5
        found = [read_job(id, *replies[i * width : (i + 1) * width]) for i, id in enumerate(ids)]
        return [job for job in found if job is not None]

    def circumstances(self, job: Job, *, now_ms: int | None = None) -> Circumstances:
        """What the next start of a job depends on."""
        return circumstances(self._client, self.keys, job, now_ms=now_ms)

    def queues(self) -> list[str]:
        """Every queue that ever had a job, by name."""
        with translated():
            found: list[bytes] = self._client.hkeys(self.keys.queues)  # type: ignore[assignment]
        return sorted(queue.decode() for queue in found)

    def state(self, id: str) -> State | None:
        """The job's state alone."""
        with translated():
            found = self._client.hget(self.keys.job(id), "state")
        return State(found.decode()) if isinstance(found, bytes) else None

    def existing(self, ids: Sequence[str]) -> list[str]:
        """Those of these ids that have a job, each once, in one round trip."""
        wanted = list(dict.fromkeys(ids))
        with translated(), self._client.pipeline(transaction=False) as pipe:
            for id in wanted:
                pipe.exists(self.keys.job(id))
            return [id for id, exists in zip(wanted, pipe.execute(), strict=True) if exists]

    def checkpoint(self, id: str) -> tuple[int, str | None]:
        """When a job was created, in UTC ms, and where it would go on; see lua/progress.lua."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            pipe.hget(self.keys.job(id), "created_at")
            pipe.hget(self.keys.out(id), "checkpoint")
            created_at, text = pipe.execute()
        return int(created_at), None if text is None else text.decode()

    def owner(self, digest: str) -> str | None:
        """The job that does a piece of work now; see lua/lib/unique.lua."""
        with translated():
            found = self._client.hget(self.keys.unique(digest), "owner")
        return found.decode() if isinstance(found, bytes) else None

    def is_held(self, id: str, token: str) -> bool:
        """Whether a running job is still claimed under this token."""
        with translated():
            found = self._client.hmget(self.keys.job(id), "token", "state")
        return found == [token.encode(), b"running"]

    def log(self, id: str) -> list[tuple[int, int, str]]:
        """The newest lines that a job's actor logged, oldest first, as (instant, number of the delivery, line)."""
        return [(line.at_ms, line.number, line.text) for line in self.log_after(id)]

    def log_after(self, id: str, after: str = "0-0") -> list[LogLine]:
        """Those that follow the line with the id ``after``."""
        with translated():
            entries: Any = self._client.xrange(self.keys.log(id), min=f"({after}")
        return [
            LogLine(entry.decode(), int(fields[b"n"] or 0), fields[b"line"].decode(errors="replace"))
            for entry, fields in entries
        ]

    def cancel_asked(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """Those of these running jobs that should stop, as (id, token)."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            for id in ids:
                pipe.hmget(self.keys.job(id), "cancel_asked", "token")
            found = zip(ids, pipe.execute(), strict=True)
        return [(id, token.decode()) for id, (asked, token) in found if asked and token]

    def depth(self, queue: str) -> int:
        """How many jobs are queued, scheduled or retrying."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            pipe.zcard(self.keys.ready(queue))
            pipe.zcard(self.keys.due(queue))
            return sum(pipe.execute())

    def waiting(self, queue: str) -> list[str]:
        """Ids of the jobs that are queued, scheduled or retrying."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            pipe.zrange(self.keys.ready(queue), 0, -1)
            pipe.zrange(self.keys.due(queue), 0, -1)
            return [id.decode() for ids in pipe.execute() for id in ids]

    def running(self) -> int:
        """How many jobs worker processes hold now."""
        with translated():
            sessions: list[bytes] = self._client.zrange(self.keys.sessions, 0, -1)  # type: ignore[assignment]
            with self._client.pipeline(transaction=False) as pipe:
                for session in sessions:
                    pipe.hlen(self.keys.running(session.decode()))
                return sum(pipe.execute())

    def totals(self, actor: str) -> dict[str, int]:
        """The counters of an actor that never decrease; see lua/lib/count.lua for their names."""
        with translated():
            found = self._client.hgetall(self.keys.total(actor))
        return {name: int(value) for name, value in text_of(found).items()}

    def has_had_jobs(self, actor: str) -> bool:
        """Whether a job of this actor ever came, as far as its counters tell."""
        with translated():
            return bool(self._client.exists(self.keys.total(actor)))

    def wait_until_final(self, id: str, timeout: float) -> Job | None:
        """The job once it is final, or as it stands after ``timeout`` seconds. Woken, not polled.

        A job that does not exist yet (a later step of a pipeline) is waited for as well.

        Raises:
            StoreUnavailable: Redis is away, at the beginning or when the time is up.
        """
        deadline = time.monotonic() + timeout
        with self.watcher.job(id) as watch:
            heard = {LOST}
            while True:
                left = deadline - time.monotonic()
                is_time_up = left <= 0 or watch.is_over
                if heard & ENDS or is_time_up:
                    try:
                        job = self.job(id)
                    except StoreUnavailable:
                        if is_time_up:
                            raise
                        heard |= watch.hear(min(left, RETRY_SECONDS))
                        continue
                    if is_time_up or "removed" in heard or (job is not None and job.is_final):
                        return job
                heard = watch.hear(left)

    def check_fitness(self) -> None:
        """Whether Redis takes jobs and keeps them; one round trip.

        Raises:
            StoreUnavailable: it does not answer.
            StoreUnfit: it refuses writes, or drops keys when its memory is full.
        """
        check_fitness(self._client, self.keys)

    def sessions(self) -> set[str]:
        """Ids of the worker processes whose session is open, or was lost and not yet rescued."""
        with translated():
            found: list[bytes] = self._client.zrange(self.keys.sessions, 0, -1)  # type: ignore[assignment]
        return {session.decode() for session in found}

    def sessions_opened(self) -> int:
        """How many sessions were ever opened."""
        with translated():
            return int(self._client.hget(self.keys.meta, "sessions_opened") or 0)
