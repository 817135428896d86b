"""worker-service, every setting at its default. BENCH_QUEUES may name more queues than the default one."""

import os
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import worker_service
from worker_service import registry
from worker_service.broker import intake

from .. import jobs

QUEUES = os.environ.get("BENCH_QUEUES", "default").split()
PRIORITIES, URGENT = (-10, 0, 10), -50

ACTORS = {job.__name__: worker_service.actor(job) for job in jobs.JOBS}
for queue in QUEUES:
    registry.broker().declare_queue(queue)


def send(job: str, *args: object) -> None:
    """As a program does that has one at a time."""
    ACTORS[job].send(*args)


def send_many(job: str, rows: Sequence[Sequence[object]], delay_ms: int | None = None) -> None:
    """What POST /v1/jobs:batch does, without HTTP."""
    _create(job, [(row, {"delay_ms": delay_ms}) for row in rows])


def send_spread(job: str, rows: Sequence[Sequence[object]]) -> None:
    """The same, over all queues and priorities."""
    places = zip(cycle(QUEUES), cycle(PRIORITIES), strict=False)
    _create(
        job,
        [
            (row, {"queue": queue, "options": {"priority": priority}})
            for row, (queue, priority) in zip(rows, places, strict=False)
        ],
    )


def send_later(job: str, delay_ms: int, *args: object) -> None:
    """Due in a while."""
    ACTORS[job].send_with_options(args=args, delay=delay_ms)


def send_urgent(job: str, *args: object) -> None:
    """Before all that waits."""
    ACTORS[job].send_with_options(args=args, priority=URGENT)


def _create(job: str, wanted: Sequence[tuple[Sequence[object], dict[str, Any]]]) -> None:
    broker = registry.broker()
    names = list(ACTORS[job].fn.__wrapped__.__annotations__)
    slices = (
        [
            intake.prepare(
                broker, intake.WantedJob(actor=job, args=dict(zip(names, row, strict=False)), **fields)
            )
            for row, fields in wanted[at : at + intake.SLICE]
        ]
        for at in range(0, len(wanted), intake.SLICE)
    )
    intake.submit_many(broker, slices)
