"""The canary: a job each minute that goes the whole way, from a schedule to a worker, and when it last did."""

import redis

from .connection import translated
from .keys import Keys
from .transitions import Store

SINCE, AT, JOB = "canary_since", "canary_at", "canary_job"
"""In the hash `meta`: since when one is expected, when the last one came through, and which job that was."""


class Canary:
    """That of one namespace.

    Args:
        store: where its jobs are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._client: redis.Redis = store.client
        self._keys: Keys = store.keys

    def expect(self, is_expected: bool) -> None:
        """From now on it is, or is not; to be repeated at will.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            if is_expected:
                self._client.hsetnx(self._keys.meta, SINCE, str(self._now_ms()))
            else:
                self._client.hdel(self._keys.meta, SINCE, AT, JOB)

    def came_through(self, job: str) -> None:
        """This job runs; the one before is removed, so that there is one to look at and no more.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            before: bytes | None = self._client.hget(self._keys.meta, JOB)  # type: ignore[assignment]
            self._client.hset(self._keys.meta, mapping={AT: self._now_ms(), JOB: job})
        if before is not None and before.decode() != job:
            self._store.delete([before.decode()])

    def _now_ms(self) -> int:
        seconds, micros = self._client.time()
        return int(seconds) * 1000 + int(micros) // 1000


def canary_age_ms(now_ms: int, since: bytes | None, at: bytes | None) -> int | None:
    """For how long none came through; None when none is expected.

    Args:
        since, at: what ``meta`` says.
    """
    if since is None:
        return None
    return max(0, now_ms - max(int(each) for each in (since, at or b"0") if each.isdigit()))
