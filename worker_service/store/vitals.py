"""What the server says of itself, asked at most once a second: how full it is, and what it can promise."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from ..jobs.errors import InvalidJob, StoreFull
from .connection import translated
from .durability import Level

HIGH_WATER = 0.8
"""Part of maxmemory above which no more jobs are taken from outside: the rest is for the work that was accepted."""

AGE_SECONDS = 1.0
_WAITAOF_SINCE = (7, 2)


_DISK = ("aof_last_bgrewrite_status", "aof_last_write_status", "rdb_last_bgsave_status")
"""What INFO tells of the last time that something was written to the disk, each in its way."""


def disk_failures(info: Mapping[str, Any]) -> dict[str, str]:
    """What could not be written to the disk, and what INFO says of it; what that does not tell is in order."""
    return {name: str(info[name]) for name in _DISK if info.get(name, "ok") != "ok"}


@dataclass(frozen=True, slots=True)
class _Reading:
    at: float
    info: dict[str, Any]


class Vitals:
    """One server, as seen by one process.

    Args:
        client: see `connect`.
        clock: monotonic seconds.
    """

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._reading: _Reading | None = None

    def check_memory(self) -> None:
        """Refuse new jobs early.

        Raises:
            StoreFull: the server uses more than `HIGH_WATER` of its maxmemory.
            StoreUnavailable: it is away.
        """
        info = self.read()
        used, most = info.get("used_memory", 0), info.get("maxmemory", 0)
        if most and used >= HIGH_WATER * most:
            raise StoreFull(
                f"Redis uses {used * 100 // most} % of its memory limit: from {HIGH_WATER * 100:.0f} % on, no more "
                "jobs are taken."
            )

    def check_level(self, level: Level) -> None:
        """Refuse to promise what the server cannot do.

        Raises:
            InvalidJob: it keeps no append-only file, or is too old to say when that is on the disk.
            StoreUnavailable: it is away.
        """
        if level != "fsync":
            return
        info = self.read()
        version = tuple(int(part) for part in re.findall(r"\d+", str(info.get("redis_version", "")))[:2])
        why = None
        if version and version < _WAITAOF_SINCE:
            why = "Redis before 7.2 cannot say when a job is on the disk."
        elif not info.get("aof_enabled", 1):
            why = "Redis keeps no append-only file (appendonly no)."
        if why:
            raise InvalidJob(f"Durability: fsync is not possible here: {why}", code="not_possible")

    def read(self) -> dict[str, Any]:
        """Fields of INFO, at most a second old; a managed server may refuse to tell some.

        While one thread asks, the others go by the reading before.

        Raises:
            StoreUnavailable: it is away.
        """
        reading = self._reading
        if reading is not None and self._clock() - reading.at < AGE_SECONDS:
            return reading.info
        if reading is not None and self._lock.locked():
            return reading.info
        with self._lock:
            if self._reading is not reading and self._reading is not None:
                return self._reading.info
            found = _Reading(self._clock(), self._ask())
            self._reading = found
            return found.info

    def _ask(self) -> dict[str, Any]:
        """A managed server may refuse to tell some of it; then its owner looks after that."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            for section in ("server", "memory", "persistence", "stats"):
                pipe.info(section)
            replies = pipe.execute(raise_on_error=False)
        found: dict[str, Any] = {}
        for reply in replies:
            found |= reply if isinstance(reply, dict) else {}
        return found
