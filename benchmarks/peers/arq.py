"""arq: one process, eight coroutines at a time, other settings at their defaults. It acknowledges late by design."""

import asyncio
import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from arq import create_pool, func
from arq.connections import RedisSettings

from .. import jobs

SERVER = RedisSettings.from_dsn(os.environ["BENCH_REDIS_URL"])


async def nothing(_: Any, payload: str = "") -> None:
    """The job that is only sent."""


async def stamp(_: Any, wanted_ns: int) -> None:
    """As jobs.stamp."""
    jobs.stamp(wanted_ns)


async def pause(_: Any, ms: int) -> None:
    """As jobs.pause, without holding the loop."""
    await asyncio.sleep(ms / 1000)
    jobs.stamp(0)


async def compute(_: Any, rounds: int) -> None:
    """As jobs.compute."""
    jobs.compute(rounds)


async def hold(_: Any, ms: int) -> None:
    """As jobs.hold, without holding the loop."""
    jobs.stamp(os.getpid())
    await asyncio.sleep(ms / 1000)


class WorkerSettings:
    """What `arq` reads."""

    functions: ClassVar[list[Any]] = [
        func(job, name=job.__name__) for job in (nothing, stamp, pause, compute, hold)
    ]
    redis_settings = SERVER
    max_jobs = 8


_loop = asyncio.new_event_loop()
_pool: Any = None


def _enqueue(job: str, *args: object, later: timedelta | None = None) -> Any:
    return _pool.enqueue_job(job, *args, _defer_by=later)


def _run(awaitable: Any) -> None:
    global _pool  # noqa: PLW0603 - a pool belongs to its loop
    if _pool is None:
        _pool = _loop.run_until_complete(create_pool(SERVER))
    _loop.run_until_complete(awaitable())


def send(job: str, *args: object) -> None:
    """As a program does that has one at a time."""
    _run(lambda: _enqueue(job, *args))


def send_many(job: str, rows: Sequence[Sequence[object]]) -> None:
    """One hundred at a time."""

    async def some(these: Sequence[Sequence[object]]) -> None:
        await asyncio.gather(*(_enqueue(job, *row) for row in these))

    for at in range(0, len(rows), 100):
        _run(lambda at=at: some(rows[at : at + 100]))


def send_later(job: str, delay_ms: int, *args: object) -> None:
    """Due in a while."""
    _run(lambda: _enqueue(job, *args, later=timedelta(milliseconds=delay_ms)))
