"""A tick of a schedule becomes a job, built as the intake builds one."""

import dataclasses
import time
import uuid

import dramatiq

from ..store import NewJob
from .broker import JobBroker
from .submission import encode, read_message

_TICKS = uuid.UUID("b1ae929d-ffe0-4fb6-9b43-3cfbee19dc2b")


def job_id(schedule: str, tick_ms: int) -> str:
    """The id of a tick's job: the same for whoever fires it. A UUID version 5 (RFC 9562, section 5.5)."""
    return str(uuid.uuid5(_TICKS, f"{schedule}/{tick_ms}"))


def fire(broker: JobBroker, actor_name: str, tick_ms: int) -> NewJob | None:
    """Create the job of one tick, in one round trip; may be repeated by anybody, at any time.

    Args:
        actor_name: of the actor; its schedule has the same name.
        tick_ms: the nominal instant in UTC ms; the job does not start before it.

    Returns:
        The job; None when this tick, or a later one, had been fired before, or another job does its work.

    Raises:
        InvalidJob: the actor's declaration cannot be kept (its priority, for example).
        StoreUnavailable: Redis is away; whether the tick was fired is unknown, so repeat the same call.
    """
    actor = broker.actors[actor_name]
    message: dramatiq.Message[object] = dramatiq.Message(
        queue_name=actor.queue_name,
        actor_name=actor.actor_name,
        args=(),
        kwargs={},
        options={},
        message_id=job_id(actor_name, tick_ms),
        message_timestamp=time.time_ns() // 1_000_000,
    )
    sent, job = read_message(broker, message, None)
    broker.emit_before("enqueue", sent, None)
    job = dataclasses.replace(job, message=encode(sent), run_at_ms=tick_ms)
    if broker.store.fire(actor_name, tick_ms, job) != "fired":
        return None
    broker.emit_after("enqueue", sent, None)
    return job
