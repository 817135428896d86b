"""RQ: eight worker processes, because each runs one job at a time; each job in a process forked for it."""

import os
from collections.abc import Sequence
from datetime import timedelta

import redis
from rq import Queue

from .. import jobs

queue = Queue(connection=redis.Redis.from_url(os.environ["BENCH_REDIS_URL"]))
FUNCTIONS = {job.__name__: job for job in jobs.JOBS}


def send(job: str, *args: object) -> None:
    """As a program does that has one at a time."""
    queue.enqueue(FUNCTIONS[job], *args)


def send_many(job: str, rows: Sequence[Sequence[object]]) -> None:
    """In pipelines of 250."""
    for at in range(0, len(rows), 250):
        some = rows[at : at + 250]
        queue.enqueue_many([Queue.prepare_data(FUNCTIONS[job], args=tuple(row)) for row in some])


def send_later(job: str, delay_ms: int, *args: object) -> None:
    """Due in a while."""
    queue.enqueue_in(timedelta(milliseconds=delay_ms), FUNCTIONS[job], *args)
