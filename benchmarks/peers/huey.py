"""Huey: eight threads, blocking pops (its default). A job is gone from Redis once it is popped: it has no
acknowledgement to switch on."""

import os
from collections.abc import Sequence

from huey import RedisHuey

from .. import jobs

huey = RedisHuey("bench", url=os.environ["BENCH_REDIS_URL"], results=False)
TASKS = {job.__name__: huey.task(name=job.__name__)(job) for job in jobs.JOBS}


def send(job: str, *args: object) -> None:
    """As a program does that has one at a time."""
    TASKS[job](*args)


def send_many(job: str, rows: Sequence[Sequence[object]]) -> None:
    """One by one."""
    for row in rows:
        send(job, *row)


def send_later(job: str, delay_ms: int, *args: object) -> None:
    """Due in a while."""
    TASKS[job].schedule(args=args, delay=delay_ms / 1000)
