"""worker-service, every setting at its default."""

from collections.abc import Sequence

import worker_service
from worker_service import registry
from worker_service.broker import intake

from .. import jobs

ACTORS = {job.__name__: worker_service.actor(job, max_attempts=3) for job in jobs.JOBS}


def send(job: str, *args: object) -> None:
    """As a program does that has one at a time."""
    ACTORS[job].send(*args)


def send_many(job: str, rows: Sequence[Sequence[object]], delay_ms: int | None = None) -> None:
    """What POST /v1/jobs:batch does, without HTTP."""
    broker = registry.broker()
    names = list(ACTORS[job].fn.__wrapped__.__annotations__)
    slices = (
        [
            intake.prepare(
                broker,
                intake.WantedJob(actor=job, args=dict(zip(names, row, strict=False)), delay_ms=delay_ms),
            )
            for row in rows[at : at + intake.SLICE]
        ]
        for at in range(0, len(rows), intake.SLICE)
    )
    intake.submit_many(broker, slices)


def send_later(job: str, delay_ms: int, *args: object) -> None:
    """Due in a while."""
    ACTORS[job].send_with_options(args=args, delay=delay_ms)
