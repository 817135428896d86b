"""Whether a worker process that has an idle thread would be given a job."""

from collections.abc import Sequence

import redis

from .connection import translated
from .job_record import text_of
from .keys import Keys
from .workers import read_worker


class Claimable:
    """What waits in one namespace.

    Args:
        client: see `connect`.
        keys: of the namespace.
    """

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def queues_of(self, session: str) -> tuple[str, ...]:
        """The queues that a worker process said it takes jobs from.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            return read_worker(
                session, 0, 0, text_of(self._client.hgetall(self._keys.session(session)))
            ).queues

    def is_any(self, queues: Sequence[str]) -> bool:
        """Whether a claim from these queues, now, would find a job: ready or due, and the queue not paused.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if not queues:
            return False
        with translated(), self._client.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.hmget(self._keys.paused, queues)
            for queue in queues:
                pipe.zcard(self._keys.ready(queue))
                pipe.zrange(self._keys.due(queue), 0, 0, withscores=True)
            (seconds, micros), pauses, *replies = pipe.execute()
        now_ms = seconds * 1000 + micros // 1000
        return any(
            (ready > 0 or any(at <= now_ms for _, at in due)) and not _is_paused(pause, now_ms)
            for pause, ready, due in zip(pauses, replies[::2], replies[1::2], strict=True)
        )


def _is_paused(words: bytes | None, now_ms: int) -> bool:
    """By what lua/pause.lua has written: until when, or for as long as nobody resumes it, and why."""
    if words is None:
        return False
    until = words.partition(b" ")[0]
    return not until or int(until) > now_ms
