"""What is wrong with a server before it shows: how it is set up, how full it is, how fast it answers."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import redis
from redis.exceptions import ReadOnlyError, RedisError

from ..jobs.errors import StoreTooNew
from .connection import translated
from .keys import Keys
from .schema import refuse_newer
from .vitals import HIGH_WATER, disk_failures

OLDEST = (7, 0)
"""The oldest Redis that the tests run on; what Valkey calls itself for old clients is newer."""

SLOW_MS = 5.0
"""Above it the network to the server, and not the server, says how many jobs a worker can run."""

_PINGS = 21

_TOLD = {
    "redis_version": "version",
    "maxmemory_policy": "maxmemory-policy",
    "maxmemory": "maxmemory",
    "aof_enabled": "appendonly",
}
"""What INFO tells of what jobs depend on, and how it is called."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        level: an error loses jobs or keeps them from running; a warning may, one day.
        about: what it is about, in one word.
        text: what is wrong, and what to do.
    """

    level: Literal["error", "warning"]
    about: str
    text: str


def examine(client: redis.Redis, keys: Keys) -> list[Finding]:
    """Look at a server; nothing of it is changed.

    A managed server may refuse to tell some of it; then that is said.

    Raises:
        StoreUnavailable: it does not answer.
    """
    with translated(), client.pipeline(transaction=False) as pipe:
        pipe.zrem(keys.sessions, "")  # removes nothing, but only a server that may write does it
        pipe.info()
        pipe.hget(keys.meta, "schema")
        written, told, schema = pipe.execute(raise_on_error=False)
        latency_ms = _latency_ms(client)
    info = told if isinstance(told, dict) else {}
    return [
        *refused_write(written),
        *newer(schema),
        *_untold(told),
        *eviction(info),
        *_version(info),
        *_memory(info),
        *_persistence(info),
        *_latency(latency_ms),
    ]


def refused_write(answer: object) -> Iterator[Finding]:
    """What the answer to a write says."""
    if isinstance(answer, ReadOnlyError):
        yield Finding("error", "writes", "Redis is a read-only replica: name the primary in JOBS_REDIS_URL.")
    elif isinstance(answer, RedisError):
        yield Finding("error", "writes", f"Redis refuses writes: {answer}.")


def newer(schema: object) -> Iterator[Finding]:
    """Whether newer code wrote the data."""
    try:
        refuse_newer(schema)
    except StoreTooNew as error:
        yield Finding("error", "schema", str(error))


def eviction(info: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether jobs are dropped for want of memory."""
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield Finding(
            "error",
            "eviction",
            f"Redis drops jobs when its memory is full: set its maxmemory-policy from {policy} to noeviction.",
        )


def _untold(told: object) -> Iterator[Finding]:
    """What nobody can see here of how the server is set up."""
    info = told if isinstance(told, dict) else {}
    missing = [setting for field, setting in _TOLD.items() if field not in info]
    if missing:
        why = "" if isinstance(told, dict) else f" ({told})"
        yield Finding(
            "warning",
            "untold",
            f"Redis does not tell its {', '.join(missing)}{why}: see to it where it is set up.",
        )


def _version(info: Mapping[str, Any]) -> Iterator[Finding]:
    named = str(info.get("redis_version", ""))
    version = tuple(int(part) for part in re.findall(r"\d+", named)[:2])
    if version and version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        yield Finding("error", "version", f"Redis {named} is too old: use {oldest} or newer, or Valkey.")
    if info.get("cluster_enabled"):
        yield Finding(
            "error", "cluster", "Redis is a node of a cluster: jobs need one server that holds all keys."
        )


def _memory(info: Mapping[str, Any]) -> Iterator[Finding]:
    most = info.get("maxmemory")
    if most == 0:
        yield Finding(
            "warning",
            "memory",
            "Redis has no memory limit, so the system may kill it: set maxmemory below what the host has.",
        )
    elif most and info.get("used_memory", 0) >= HIGH_WATER * most:
        yield Finding(
            "error",
            "memory",
            f"Redis uses {info['used_memory'] * 100 // most} % of its memory limit; from "
            f"{HIGH_WATER * 100:.0f} % on, no more jobs are taken: raise maxmemory, or keep jobs for less time.",
        )


def _persistence(info: Mapping[str, Any]) -> Iterator[Finding]:
    if info.get("aof_enabled") == 0:
        yield Finding(
            "warning",
            "persistence",
            "Redis keeps no append-only file, so a crash loses what came since its last snapshot, "
            "if it makes any: set appendonly yes.",
        )
    for name, status in disk_failures(info).items():
        yield Finding(
            "error",
            "persistence",
            f"Redis could not write to its disk ({name} is {status}): see its log, and its disk's room.",
        )


def _latency(latency_ms: float) -> Iterator[Finding]:
    if latency_ms > SLOW_MS:
        yield Finding(
            "warning",
            "latency",
            f"Redis takes {latency_ms:.1f} ms for the smallest answer: run the workers nearer to it.",
        )


def _latency_ms(client: redis.Redis) -> float:
    """The median of some round trips on one connection."""
    taken = []
    with client.client() as one:
        for _ in range(_PINGS):
            begin = time.perf_counter()
            one.ping()
            taken.append(time.perf_counter() - begin)
    return median(taken) * 1000
