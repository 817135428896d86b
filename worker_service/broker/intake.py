"""The way in for jobs that do not come from Python code: by actor name, arguments by name, as JSON."""

import dataclasses
import time
from dataclasses import dataclass, field
from typing import Any

import dramatiq

from ..jobs.errors import InvalidJob
from ..jobs.ids import new_job_id
from ..jobs.names import did_you_mean
from ..jobs.signature import check_arguments
from ..store import NewJob
from .broker import JobBroker
from .submission import encode, read_message


@dataclass(frozen=True, slots=True)
class WantedJob:
    """What is asked for; what is None is left to the actor's declaration.

    Attributes:
        args: by name, as JSON values.
        run_at_ms, expires_at_ms: instants in UTC ms.
        delay_ms, expires_in_ms: from now on the store's clock.
        options: ``priority``, ``max_attempts`` and ``time_limit``, as ``send_with_options`` knows them.
    """

    actor: str
    args: dict[str, Any]
    queue: str | None = None
    run_at_ms: int | None = None
    delay_ms: int | None = None
    expires_at_ms: int | None = None
    expires_in_ms: int | None = None
    options: dict[str, Any] = field(default_factory=dict)


def submit(broker: JobBroker, wanted: WantedJob) -> NewJob:
    """Create a job in one round trip.

    Returns:
        The job as it was created.

    Raises:
        InvalidJob: a name, an option or an argument is wrong.
        StoreUnavailable: Redis is away; whether the job was created is unknown.
    """
    message = _message(broker, wanted)
    message, job = read_message(broker, message, wanted.delay_ms)
    broker.emit_before("enqueue", message, wanted.delay_ms)
    job = dataclasses.replace(
        job,
        message=encode(message),
        run_at_ms=wanted.run_at_ms,
        expires_at_ms=wanted.expires_at_ms,
        expires_in_ms=wanted.expires_in_ms,
    )
    broker.store.submit([job])
    broker.emit_after("enqueue", message, wanted.delay_ms)
    return job


def _message(broker: JobBroker, wanted: WantedJob) -> "dramatiq.Message[Any]":
    actor = broker.actors.get(wanted.actor)
    if actor is None:
        hint = did_you_mean(wanted.actor, broker.actors)
        raise InvalidJob(f"No actor {wanted.actor!r}.{hint}", pointer="/actor", code="unknown_actor")
    args, kwargs = check_arguments(actor.fn, wanted.args)
    options = dict(wanted.options)
    if wanted.queue is not None:
        options["queue"] = wanted.queue
    return dramatiq.Message(
        queue_name=actor.queue_name,
        actor_name=actor.actor_name,
        args=args,
        kwargs=kwargs,
        options=options,
        message_id=new_job_id(),
        message_timestamp=time.time_ns() // 1_000_000,
    )
