"""Stock Dramatiq: RedisBroker, default middleware, every setting at its default. It has no call for many jobs."""

import os
from collections.abc import Sequence

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from .. import jobs

dramatiq.set_broker(RedisBroker(url=os.environ["BENCH_REDIS_URL"]))

ACTORS = {job.__name__: dramatiq.actor(job) for job in jobs.JOBS}


def send(job: str, *args: object) -> None:
    """As a program does that has one at a time."""
    ACTORS[job].send(*args)


def send_many(job: str, rows: Sequence[Sequence[object]]) -> None:
    """One by one."""
    for row in rows:
        send(job, *row)


def send_later(job: str, delay_ms: int, *args: object) -> None:
    """Due in a while."""
    ACTORS[job].send_with_options(args=args, delay=delay_ms)
