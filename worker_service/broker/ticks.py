"""A tick of a schedule becomes a job, built as the intake builds one."""

import dataclasses
import time
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import dramatiq

from ..jobs.errors import InvalidSchedule
from ..jobs.ids import new_job_id
from ..jobs.masking import check_shown_arguments
from ..jobs.schedule import Definition
from ..jobs.ticks import jittered
from ..names import did_you_mean
from ..store import Idempotency, Lock, NewJob, ScheduleRef, Schedules, Submitted
from .broker import JobBroker
from .offered import offered
from .submission import TICK, encode, read_message

_TICKS = uuid.UUID("b1ae929d-ffe0-4fb6-9b43-3cfbee19dc2b")
_ON_OVERLAP = {"skip": "return", "buffer_one": "buffer"}


class Fired(NamedTuple):
    """What became of a tick; see `Schedules.fire`. ``job`` is the one it made, or the earlier one when skipped."""

    word: str
    job: str


def job_id(uid: str, tick_ms: int, cause: str) -> str:
    """The id of a tick's job: the same for whoever fires it. A UUID version 5 (RFC 9562, section 5.5)."""
    return str(uuid.uuid5(_TICKS, f"{uid}/{tick_ms}/{cause}"))


def fire(
    broker: JobBroker,
    schedules: Schedules,
    ref: ScheduleRef,
    definition: Definition,
    tick_ms: int,
    *,
    next_ms: int | None = None,
    cause: str = "tick",
) -> Fired:
    """Create the job of one tick, in one round trip; may be repeated by anybody, at any time.

    Args:
        tick_ms: the nominal instant in UTC ms; the job does not start before it.
        next_ms: the tick after this one.
        cause: tick, or backfill (a tick of the past, asked for by a person).

    Raises:
        InvalidJob: this process does not know the actor, or it does not take the arguments.
        StoreUnavailable: Redis is away; whether the tick was fired is unknown, so repeat the same call.
    """
    sent, job = _build(broker, ref.uid, definition, tick_ms, cause, job_id(ref.uid, tick_ms, cause))
    word, earlier = schedules.fire(ref, tick_ms, job, next_ms=next_ms, cause=cause)
    if word in ("fired", "follows"):
        broker.emit_after("enqueue", sent, None)
    return Fired(word, earlier or job.id)


def run_now(
    broker: JobBroker,
    schedules: Schedules,
    ref: ScheduleRef,
    definition: Definition,
    at_ms: int,
    idempotency: Idempotency | None,
) -> Submitted:
    """Create a job of a schedule now; each call makes one of its own, but for the key of its request.

    Returns:
        See `Schedules.run_now`.

    Raises:
        InvalidJob: this process does not know the actor, or it does not take the arguments.
        StoreUnavailable: Redis is away; whether the job was created is unknown.
    """
    sent, job = _build(broker, ref.uid, definition, at_ms, "run_now", new_job_id())
    done = schedules.run_now(ref, at_ms, dataclasses.replace(job, idempotency=idempotency))
    if done.word == "fired":
        broker.emit_after("enqueue", sent, None)
    return done


class DueTick(NamedTuple):
    """A tick that has come, and the one after it."""

    ref: ScheduleRef
    definition: Definition
    tick_ms: int
    next_ms: int | None


def fire_many(broker: JobBroker, schedules: Schedules, due: Sequence[DueTick]) -> list[Fired | Exception]:
    """Create the jobs of one tick of each of some schedules, in one round trip; else as `fire`.

    Returns:
        For each what became of it, or the error for which it may not have been fired.

    Raises:
        StoreUnavailable: Redis is away; which ticks were fired is unknown, so repeat the same call.
    """
    built = [_attempt(broker, each) for each in due]
    good = [(each, made) for each, made in zip(due, built, strict=True) if not isinstance(made, Exception)]
    replies = iter(
        schedules.fire_many([(each.ref, each.tick_ms, each.next_ms, job) for each, (_, job) in good])
        if good
        else []
    )
    found: list[Fired | Exception] = []
    for made in built:
        reply = made if isinstance(made, Exception) else next(replies)
        if isinstance(made, Exception) or isinstance(reply, Exception):
            found.append(reply)  # type: ignore[arg-type]
            continue
        word, earlier = reply
        if word in ("fired", "follows"):
            broker.emit_after("enqueue", made[0], None)
        found.append(Fired(word, earlier or made[1].id))
    return found


def check(broker: JobBroker, actor: str, args: dict[str, Any]) -> None:
    """Find out now what would keep ticks from becoming jobs.

    Raises:
        InvalidJob: this process does not know the actor, or it does not take the arguments.
    """
    sent, _ = read_message(broker, _message(broker, actor, args, 0, job_id("", 0, "tick")), None)
    encode(sent)


def _message(
    broker: JobBroker, name: str, given: dict[str, Any], tick_ms: int, id: str
) -> "dramatiq.Message[object]":
    known = offered(broker.actors)
    actor = known.get(name)
    if actor is None:
        hint = did_you_mean(name, known)
        raise InvalidSchedule(f"No actor {name!r}.{hint}", pointer="/actor", code="unknown_actor")
    args, kwargs = check_shown_arguments(actor.fn, given)
    return dramatiq.Message(
        queue_name=actor.queue_name,
        actor_name=actor.actor_name,
        args=args,
        kwargs=kwargs,
        options={TICK: tick_ms},
        message_id=id,
        message_timestamp=time.time_ns() // 1_000_000,
    )


def _build(
    broker: JobBroker, uid: str, definition: Definition, tick_ms: int, cause: str, id: str
) -> "tuple[dramatiq.Message[object], NewJob]":
    sent, job = read_message(broker, _message(broker, definition.actor, definition.args, tick_ms, id), None)
    broker.emit_before("enqueue", sent, None)
    expires = definition.expires_after_ms
    return sent, dataclasses.replace(
        job,
        message=encode(sent),
        run_at_ms=jittered(tick_ms, uid, definition.jitter_ms) if cause == "tick" else tick_ms,
        expires_at_ms=tick_ms + expires if expires is not None and cause == "tick" else None,
        lock=_lock(uid, definition, cause) or job.lock,
    )


def _lock(uid: str, definition: Definition, cause: str) -> Lock | None:
    """The jobs of one schedule are the same work; what is backfilled is many ticks at once, and meant to be."""
    if definition.overlap == "allow_all" or cause == "backfill":
        return None
    return Lock(f"schedule:{uid}", "done", _ON_OVERLAP[definition.overlap] if cause == "tick" else "return")


def _attempt(broker: JobBroker, due: DueTick) -> "tuple[dramatiq.Message[object], NewJob] | Exception":
    try:
        id = job_id(due.ref.uid, due.tick_ms, "tick")
        return _build(broker, due.ref.uid, due.definition, due.tick_ms, "tick", id)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is returned
        return error
