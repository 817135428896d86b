"""Celery on Redis: late acknowledgement, so that no job is lost with its worker, JSON (its default), no results.

`task_ignore_result` and late acknowledgement with `task_reject_on_worker_lost` are what its user guide says of speed
(Tasks: "Ignore results you don't want") and of safety (Tasks: "Should I use retry or acks_late?"). It sends many
tasks one by one; a group, which it has for that, does the same.
"""

import os
from collections.abc import Sequence

from celery import Celery

from .. import jobs

app = Celery(
    "bench", broker=os.environ["BENCH_REDIS_URL"].replace("unix://", "redis+socket://").split("?")[0]
)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_hijack_root_logger=False,
)

TASKS = {job.__name__: app.task(job, name=job.__name__) for job in jobs.JOBS}


def send(job: str, *args: object) -> None:
    """As a program does that has one at a time."""
    TASKS[job].delay(*args)


def send_many(job: str, rows: Sequence[Sequence[object]]) -> None:
    """One by one, over one connection."""
    with app.producer_pool.acquire(block=True) as producer:
        for row in rows:
            TASKS[job].apply_async(row, producer=producer)


def send_later(job: str, delay_ms: int, *args: object) -> None:
    """Due in a while."""
    TASKS[job].apply_async(args, countdown=delay_ms / 1000)
