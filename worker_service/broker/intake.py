"""The way in for jobs that do not come from Python code: by actor name, arguments by name, as JSON."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import dramatiq

from ..jobs.errors import InvalidJob, StoreUnavailable
from ..jobs.ids import new_job_id
from ..jobs.masking import check_shown_arguments
from ..names import did_you_mean
from ..store import Idempotency, Job, Level, NewJob, Submitted
from .broker import JobBroker
from .offered import INTERNAL, offered


@dataclass(slots=True)
class WantedJob:
    """What is asked for; what is None is left to the actor's declaration.

    Attributes:
        args: by name, as JSON values.
        run_at_ms, expires_at_ms: instants in UTC ms.
        delay_ms, expires_in_ms: from now on the store's clock.
        idempotency: what makes a repeated request one job.
        options: what ``send_with_options`` knows: ``priority``, ``max_attempts``, ``time_limit``, ``unique``, ``tags``,
            ``metadata``, ``store_result``, ``traceparent``.
    """

    actor: str
    args: dict[str, Any]
    queue: str | None = None
    run_at_ms: int | None = None
    delay_ms: int | None = None
    expires_at_ms: int | None = None
    expires_in_ms: int | None = None
    idempotency: Idempotency | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PreparedJob:
    """A job that may be created, and the message that says so to middleware."""

    message: "dramatiq.Message[Any]"
    job: NewJob


SLICE = 250
"""Jobs that are created in one run of a script: a bound on how long the server is held."""


def prepare(broker: JobBroker, wanted: WantedJob) -> PreparedJob:
    """Check a job; `submit` or `submit_many` creates it.

    Raises:
        InvalidJob: a name, an option or an argument is wrong.
    """
    message, job = broker.prepare(
        _message(broker, wanted),
        wanted.delay_ms,
        run_at_ms=wanted.run_at_ms,
        expires_at_ms=wanted.expires_at_ms,
        idempotency=wanted.idempotency,
    )
    return PreparedJob(message, job)


def submit(broker: JobBroker, prepared: PreparedJob, level: Level | None = None) -> Submitted:
    """Create a job in one round trip; see `JobBroker.create`."""
    return broker.create(prepared.message, prepared.job, level)


Outcome = Submitted | StoreUnavailable
"""What became of a job: see `refusal`. An error where Redis went away; whether the job was created is unknown then."""


def submit_all(broker: JobBroker, jobs: Sequence[PreparedJob], level: Level | None = None) -> list[Submitted]:
    """Create all of these jobs, or, when one is refused, none, in one round trip; see `Store.submit`.

    Args:
        level: how safe all of them have to be before this returns.

    Raises:
        NotDurable: the jobs are there, but have not reached their level in time.
        StoreUnavailable: Redis is away; whether any job was created is unknown.
    """
    with broker.store.durable(level) if level else nullcontext(broker.store) as store:
        found = store.submit([each.job for each in jobs], all_or_none=True)
    _tell(broker, jobs, found)
    return found


def submit_many(
    broker: JobBroker, slices: Iterable[Sequence[PreparedJob]], level: Level | None = None
) -> list[Outcome]:
    """Create jobs, one round trip for each slice of them; while Redis works on one, the next one is prepared.

    Args:
        slices: of `SLICE` jobs or fewer.
        level: how safe all of them have to be before this returns.

    Raises:
        NotDurable: the jobs are there, but have not reached their level in time.
        StoreUnavailable: Redis is away, and no job is known to have been created.
    """
    jobs: list[PreparedJob] = []

    def new_jobs() -> Iterator[list[NewJob]]:
        for some in slices:
            jobs.extend(some)
            yield [each.job for each in some]

    with broker.store.durable(level) if level else nullcontext(broker.store) as store:
        found = [outcome for some in store.submit_each(new_jobs()) for outcome in some]
    if found and isinstance(found[0], StoreUnavailable):
        raise found[0]
    _tell(broker, jobs, found)
    return found


def _tell(broker: JobBroker, jobs: Sequence[PreparedJob], outcomes: Sequence[Outcome]) -> None:
    """Tell middleware of the jobs that were created."""
    for prepared, outcome in zip(jobs, outcomes, strict=True):
        if isinstance(outcome, Submitted) and outcome.word in ("created", "exists", "follows"):
            broker.emit_after("enqueue", prepared.message, prepared.job.delay_ms)


def replay_as(broker: JobBroker, job: Job, args: dict[str, Any], new_id: str) -> tuple[str, str]:
    """Run a dead or cancelled job again as a new one with other arguments; all else is as it was, but the deadline.

    Args:
        args: by name, as JSON values.
        new_id: of the new job; when there is one, nothing is done.

    Returns:
        See `Store.replay_as`.

    Raises:
        InvalidJob: its actor or its queue is not known any more, or the arguments are wrong.
        StoreUnavailable: Redis is away; whether the job was created is unknown.
    """
    options = {
        **job.message.get("options", {}),
        "priority": job.priority,
        "max_attempts": job.max_attempts,
        "max_crashes": job.max_crashes,
    }
    message = _message(broker, WantedJob(job.actor, args, job.queue, options=options))
    return broker.replay_as(job.id, message.copy(message_id=new_id))


def _message(broker: JobBroker, wanted: WantedJob) -> "dramatiq.Message[Any]":
    actor = broker.actors.get(wanted.actor)
    if actor is None or wanted.actor in INTERNAL:
        hint = did_you_mean(wanted.actor, offered(broker.actors))
        raise InvalidJob(f"No actor {wanted.actor!r}.{hint}", pointer="/actor", code="unknown_actor")
    args, kwargs = check_shown_arguments(actor.fn, wanted.args)
    options = dict(wanted.options)
    if wanted.queue is not None:
        options["queue"] = wanted.queue
    if wanted.expires_in_ms is not None:
        options["expires_in"] = wanted.expires_in_ms
    return dramatiq.Message(
        queue_name=actor.queue_name,
        actor_name=actor.actor_name,
        args=args,
        kwargs=kwargs,
        options=options,
        message_id=new_job_id(),
        message_timestamp=time.time_ns() // 1_000_000,
    )
