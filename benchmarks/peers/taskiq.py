"""taskiq with Redis streams, which acknowledge: one process, eight tasks at a time, acknowledged when executed."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from taskiq_redis import RedisStreamBroker

from .. import jobs

broker = RedisStreamBroker(os.environ["BENCH_REDIS_URL"])


async def pause(ms: int) -> None:
    """As jobs.pause, without holding the loop."""
    await asyncio.sleep(ms / 1000)
    jobs.stamp(0)


async def stamp(wanted_ns: int) -> None:
    """As jobs.stamp, without a thread for it."""
    jobs.stamp(wanted_ns)


TASKS = {
    job.__name__: broker.task(task_name=job.__name__)(job)
    for job in (jobs.nothing, stamp, pause, jobs.compute, jobs.hold)
}

_loop = asyncio.new_event_loop()
_started = False


def _run(awaitable: Any) -> None:
    global _started  # noqa: PLW0603 - a broker belongs to its loop
    if not _started:
        _loop.run_until_complete(broker.startup())
        _started = True
    _loop.run_until_complete(awaitable())


def send(job: str, *args: object) -> None:
    """As a program does that has one at a time."""
    _run(lambda: TASKS[job].kiq(*args))


def send_many(job: str, rows: Sequence[Sequence[object]]) -> None:
    """One hundred at a time."""

    async def some(these: Sequence[Sequence[object]]) -> None:
        await asyncio.gather(*(TASKS[job].kiq(*row) for row in these))

    for at in range(0, len(rows), 100):
        _run(lambda at=at: some(rows[at : at + 100]))
