"""A Dramatiq message becomes a job: its options read, its arguments checked, at the call of ``send``."""

import json
import math
import re
from collections.abc import Set
from datetime import timedelta
from typing import Any

import dramatiq

from ..jobs.backoff import CENTURY_MS
from ..jobs.errors import InvalidJob
from ..jobs.labels import read_labels
from ..jobs.signature import ARGUMENTS_LIMIT, arguments_by_name, check_binding, with_defaults
from ..jobs.traceparent import read_traceparent
from ..jobs.uniqueness import read_unique, written
from ..jobs.webhooks import read_webhook
from ..names import did_you_mean
from ..store import ClaimedJob, Lock, NewJob
from .groups import CALLBACKS, NEXT, UUID
from .offered import offered

DEFAULT_MAX_ATTEMPTS = 10
DEFAULT_MAX_CRASHES = 3
UNLIMITED = 1_000_000_000
_MOST_MS = CENTURY_MS

#: What an id may be: one word, short enough for a small field of the record.
_ID = re.compile(r"[!-~]{1,64}")

#: What Dramatiq's threads rely on in a message: one of another kind would end them.
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "queue_name": str,
    "actor_name": str,
    "args": list,
    "kwargs": dict,
    "options": dict,
    "message_timestamp": (int, float),
}

#: Options of one message that are read here and kept in the record, not in the message.
RECORD_OPTIONS = {
    "queue",
    "priority",
    "expires_in",
    "max_attempts",
    "max_crashes",
    "unique",
    "webhook",
    UUID,
    CALLBACKS,
}

TICK = "tick"
"""The nominal instant of a schedule's job, in UTC ms."""

TRACEPARENT = "traceparent"
"""The trace that a job belongs to; see jobs/traceparent.py."""

REQUEST_ID = "request_id"
"""The ``X-Request-Id`` under which somebody asked for a job, if he named one; for logs."""

LABELS = ("tags", "metadata")
"""What a job is labelled with; see jobs/labels.py."""

STORE_RESULT = "store_result"
"""False: the value that the actor returns is not kept. (Dramatiq's ``store_results`` writes a warning per job.)"""

SENTRY_HEADERS = "_sentry_headers"
"""The trace of whoever sent it, as the SDK's middleware writes it."""

#: Options that we, Dramatiq, its middleware and its compositions write into messages.
MESSAGE_OPTIONS = {
    TICK,
    TRACEPARENT,
    REQUEST_ID,
    SENTRY_HEADERS,
    "delay",
    "requeue_timestamp",
    "retries",
    "traceback",
}


def read_message(
    broker: dramatiq.Broker, message: dramatiq.Message[Any], delay: int | timedelta | None
) -> tuple[dramatiq.Message[Any], NewJob]:
    """Check a message and split it into what travels and what the record holds.

    Returns:
        A copy of the message as it is sent (its queue set, record options taken out), so that middleware may
        write into it and the caller may send his again; and the job without its text.

    Raises:
        InvalidJob: the actor, the queue, an option or the arguments are wrong; names the nearest right one.
    """
    actor = _actor(broker, message.actor_name)
    _check_options(broker.actor_options, message.options)
    check_binding(actor.fn, actor.actor_name, message.args, message.kwargs)
    _check_id(message.message_id)
    options = dict(message.options)
    if options.get("time_limit") is not None:
        options["time_limit"] = _time_limit(options["time_limit"])
    wanted = {name: options.pop(name) for name in RECORD_OPTIONS if name in options}
    if "unique" in wanted:  # for a later run with other arguments
        options["unique"] = written(wanted["unique"])
    labels = _labels(actor.options, options)
    trace = read_traceparent(options.get(TRACEPARENT))
    for name in (*LABELS, TRACEPARENT):
        options.pop(name, None)
    options |= labels
    if trace is not None:
        options[TRACEPARENT] = trace
    if not _keeps_result(actor.options, options.pop(STORE_RESULT, None)):
        options[STORE_RESULT] = False
    if wanted.get("webhook") is not None:
        options["webhook"] = read_webhook(wanted["webhook"]).model_dump(mode="json")
    queue = wanted.get("queue") or message.queue_name
    if queue not in broker.get_declared_queues():
        raise InvalidJob(
            f"No queue {queue!r}.{did_you_mean(str(queue), broker.get_declared_queues())}",
            pointer="/queue",
            code="unknown_queue",
        )
    job = NewJob(
        id=message.message_id,
        queue=queue,
        actor=actor.actor_name,
        message=b"",
        priority=_whole(wanted.get("priority", actor.priority), "priority", -100, 100),
        delay_ms=milliseconds(delay, "delay"),
        expires_in_ms=_expires_in(wanted.get("expires_in")),
        max_attempts=_max_attempts(wanted, message.options, actor.options),
        max_crashes=_max_crashes(wanted, actor.options),
        lock=_lock(actor, message, queue, wanted.get("unique", actor.options.get("unique"))),
        tags=tuple(labels.get("tags", ())),
    )
    sent: dramatiq.Message[Any] = dramatiq.Message(
        queue_name=queue,
        actor_name=message.actor_name,
        args=message.args,
        kwargs=message.kwargs,
        options=options,
        message_id=message.message_id,
        message_timestamp=message.message_timestamp,
    )
    return sent, job


def encode(message: dramatiq.Message[Any]) -> bytes:
    """The message as JSON, whatever encoder Dramatiq was told to use: nothing is ever unpickled.

    Without its id, which is in the key: some fifty bytes in the memory of the server.

    Raises:
        InvalidJob: an argument is not JSON, or the arguments are too large.
    """
    fields = dict(vars(message))  # as asdict() has it, which costs as much again
    del fields["message_id"]
    try:
        encoded = _ENCODER.encode(fields).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidJob(
            f"{message.actor_name}: an argument is not JSON ({error}). "
            "Pass plain values, or the id of what is meant.",
            pointer="/args",
            code="not_json",
        ) from error
    if len(encoded) > ARGUMENTS_LIMIT and len(_arguments(message)) > ARGUMENTS_LIMIT:
        raise InvalidJob(
            f"{message.actor_name}: the arguments have more than {ARGUMENTS_LIMIT} bytes. "
            "Store what is large elsewhere, and pass its id.",
            pointer="/args",
            code="too_large",
        )
    return encoded


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


_DECODER = json.JSONDecoder()


def decode(claimed: ClaimedJob) -> dramatiq.Message[Any]:
    """The message of a claimed job, with what the claim decides.

    Raises:
        ValueError, TypeError, KeyError: it is not a message.
    """
    try:
        fields = _DECODER.decode(claimed.message.decode())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    for name, kind in _FIELDS.items():
        if not isinstance(fields[name], kind):
            raise ValueError(f"{name} is a {type(fields[name]).__name__}")
    # The record decides: a message may have come in the place of an older one, and has no id.
    fields["message_id"], fields["queue_name"] = claimed.id, claimed.queue
    options = fields["options"]
    # The one place where the budget is told to the retry middleware: it counts in the message.
    options["retries"], options["max_retries"] = claimed.attempts, claimed.max_attempts - 1
    options.pop("eta", None)  # the worker would hold the message in its memory until then
    return dramatiq.Message(**fields)


def _arguments(message: dramatiq.Message[Any]) -> str:
    return json.dumps([message.args, message.kwargs], separators=(",", ":"))


def check_limits(actor: dramatiq.Actor[Any, Any]) -> None:
    """Refuse options of an actor that every job would be refused for; its time limit becomes milliseconds.

    Raises:
        InvalidJob: one is of another kind, or out of range.
    """
    _whole(actor.priority, "priority", -100, 100)
    _max_attempts({}, {}, actor.options)
    _max_crashes({}, actor.options)
    if actor.options.get("time_limit") is not None:
        actor.options["time_limit"] = _time_limit(actor.options["time_limit"])


def declared_max_attempts(actor: dramatiq.Actor[Any, Any]) -> int | None:
    """How often a job of this actor is tried when nothing else is asked for; None: without end."""
    found = _max_attempts({}, {}, actor.options)
    return None if found == UNLIMITED else found


def _actor(broker: dramatiq.Broker, name: str) -> dramatiq.Actor[Any, Any]:
    actor = broker.actors.get(name)
    if actor is None:
        raise InvalidJob(
            f"No actor {name!r}.{did_you_mean(name, offered(broker.actors))}",
            pointer="/actor",
            code="unknown_actor",
        )
    return actor


def _check_options(actor_options: Set[str], options: dict[str, Any]) -> None:
    known = actor_options | RECORD_OPTIONS | MESSAGE_OPTIONS
    for name in options:
        if name not in known:
            hint = did_you_mean(name, known - MESSAGE_OPTIONS | {"delay"})
            raise InvalidJob(f"No option {name!r}.{hint}", pointer=f"/{name}", code="unknown_option")


def _keeps_result(declared: dict[str, Any], given: Any) -> bool:
    keeps = declared.get(STORE_RESULT, True) if given is None else given
    if not isinstance(keeps, bool):
        raise InvalidJob(
            f"store_result={keeps!r}: use True or False", pointer="/store_result", code="bad_option"
        )
    return keeps


def _labels(declared: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The labels of a message, each its own or else that of its actor; without those that are empty."""
    given = {name: options.get(name, declared.get(name)) for name in LABELS}
    given = {name: label for name, label in given.items() if label is not None}
    if not given:
        return {}
    read = read_labels(given)
    return {name: label for name in LABELS if (label := getattr(read, name))}


def _lock(
    actor: dramatiq.Actor[Any, Any], message: dramatiq.Message[Any], queue: str, given: Any
) -> Lock | None:
    if given is None:
        return None
    unique = read_unique(given)
    named = arguments_by_name(actor.fn, message.args, message.kwargs)
    digest = unique.digest(actor.actor_name, queue, with_defaults(actor.fn, named))
    return Lock(digest, unique.term, unique.on_conflict, unique.max_wait_ms, is_fixed=NEXT in message.options)


def _check_id(id: Any) -> None:
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise InvalidJob(
            f"message_id={id!r}: use 1 to 64 visible ASCII characters", pointer="/id", code="bad_id"
        )


def _max_attempts(wanted: dict[str, Any], options: dict[str, Any], declared: dict[str, Any]) -> int:
    """Ours first, then Dramatiq's max_retries (None: without end); the message before the actor."""
    for attempts, retries in ((wanted, options), (declared, declared)):
        if "max_attempts" in attempts:
            return _whole(attempts["max_attempts"], "max_attempts", 1, UNLIMITED)
        if "max_retries" in retries:
            found = retries["max_retries"]
            return UNLIMITED if found is None else _whole(found, "max_retries", 0, UNLIMITED - 1) + 1
    return DEFAULT_MAX_ATTEMPTS


def _max_crashes(wanted: dict[str, Any], declared: dict[str, Any]) -> int:
    found = wanted.get("max_crashes", declared.get("max_crashes", DEFAULT_MAX_CRASHES))
    return _whole(found, "max_crashes", 0, 1000)


def _time_limit(value: Any) -> int:
    limit = _in_ms(value)
    if type(limit) is not int or not 1 <= limit <= _MOST_MS:
        raise InvalidJob(
            f"time_limit={value!r}: use milliseconds, or a timedelta",
            pointer="/time_limit",
            code="out_of_range",
        )
    return limit


def _whole(value: Any, name: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:  # a bool is an int, and none here
        raise InvalidJob(
            f"{name}={value!r}: use a whole number from {low} to {high}",
            pointer=f"/{name}",
            code="out_of_range",
        )
    return value


def milliseconds(value: Any, name: str) -> int | None:
    """A duration as a whole number of milliseconds, none below zero.

    Args:
        value: milliseconds, a timedelta or None.
        name: of the option, for the error.

    Raises:
        InvalidJob: it is neither.
    """
    if value is None:
        return None
    found = _in_ms(value)
    if type(found) is not int or abs(found) > _MOST_MS:  # a time that has passed is now
        raise InvalidJob(
            f"{name}={value!r}: use milliseconds, or a timedelta, of at most a hundred years",
            pointer=f"/{name}",
            code="out_of_range",
        )
    return max(0, found)


def _expires_in(value: Any) -> int | None:
    found = milliseconds(value, "expires_in")
    return found if found is None else _whole(found, "expires_in", 1, _MOST_MS)


def _in_ms(value: Any) -> Any:
    """A whole number from a timedelta and what people compute with floats; anything else as it is, to be refused."""
    if isinstance(value, timedelta):
        return int(value.total_seconds() * 1000)
    return int(value) if isinstance(value, float) and math.isfinite(value) else value
