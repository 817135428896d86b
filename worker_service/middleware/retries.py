"""Decides what follows a failed attempt. Deciding is all it does: the finish script carries it out."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import dramatiq
from dramatiq.errors import RateLimitExceeded, Retry
from dramatiq.middleware import Interrupt, Shutdown
from dramatiq.middleware import Retries as DramatiqRetries

from ..broker.interrupts import JobCancelled, LeaseLost
from ..broker.process import ArgumentsMismatch
from ..broker.proxy import Decision, JobProxy
from ..jobs.backoff import (
    BASE_MS,
    CAP_MS,
    CENTURY_MS,
    SNOOZED_LIMIT_MS,
    SNOOZES_LIMIT,
    check_schedule,
    full_jitter,
    scheduled_wait,
)
from ..jobs.errors import InvalidJob, PermanentError, RetryLater, StoreUnavailable, UnknownOutcome
from .options import InvalidOption

ALWAYS_RETRIED = (ConnectionError, TimeoutError, StoreUnavailable, Interrupt)
"""Also when ``retry_on`` names others: trouble on the way, and a time limit."""
_CLASSES = ("retry_on", "fail_on", "throws")
_WAITS = ("backoff", "backoff_floor", "min_backoff", "max_backoff")


class Retries(DramatiqRetries):
    """Takes the place of Dramatiq's middleware of this name, and knows the same options.

    Differences: 10 attempts in all; full jitter from 1 s, capped at 10 min; a shutdown, a rate limit or
    `RetryLater` uses up no attempt; a `PermanentError` or arguments that do not fit end the job at once.

    Options of its own, for an actor:
        retry_on: exception classes; others end the job at once, but for trouble with connections and time.
        fail_on: exception classes that end the job at once.
        backoff: milliseconds or a timedelta between attempts, or a list of them, in place of the jitter.
        backoff_floor: milliseconds that the jitter never goes below.
    """

    @property
    def actor_options(self) -> set[str]:
        options: set[str] = super().actor_options
        return options | {"retry_on", "fail_on", "backoff", "backoff_floor"}

    def before_declare_actor(self, broker: Any, actor: "dramatiq.Actor[Any, Any]") -> None:
        """Refuse options that could only fail once a job has.

        Raises:
            InvalidOption: an option has a value of another kind.
        """
        for name in _CLASSES:
            if actor.options.get(name) is not None and not _is_classes(actor.options[name]):
                raise InvalidOption(f"{actor.actor_name}: {name} takes an exception class or a tuple of them")
        _check_waits(actor.actor_name, actor.options)

    def before_enqueue(self, broker: Any, message: "dramatiq.Message[Any]", delay: int | None) -> None:
        """Refuse options of one message that could only fail once it has; write those that hold as JSON.

        Raises:
            InvalidOption: an option has a value of another kind, or is one of actors alone.
        """
        options = message.options
        for name in ("retry_when", "throws"):  # Dramatiq's worker reads the latter, and could not read names
            if options.get(name) is not None:
                raise InvalidOption(
                    f"{message.actor_name}: {name} is an option of actors; one message takes retry_on and fail_on"
                )
        for name in ("retry_on", "fail_on"):
            if options.get(name) is not None:
                options[name] = _names(message.actor_name, name, options[name])
        _check_waits(message.actor_name, options)
        for name in _WAITS:
            if options.get(name) is not None:
                options[name] = _as_json(options[name])

    def after_process_message(
        self, broker: Any, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Note the decision on the delivery, or hand the message to ``enqueue``, which notes it."""
        if exception is None:
            return
        options = {**broker.get_actor(message.actor_name).options, **message.options}
        wait_ms = _wait(exception, options)
        if isinstance(exception, LeaseLost) or (isinstance(exception, Shutdown) and message.was_interrupted):
            message.decision = Decision("hand_back", "shutdown")
        elif isinstance(exception, JobCancelled):
            message.decision = Decision("cancel")
            message.fail()
        elif isinstance(exception, (RateLimitExceeded, RetryLater)) and _may_snooze(message, wait_ms):
            message.decision = Decision("snooze", "snooze", wait_ms)
        elif isinstance(exception, UnknownOutcome):
            self._give_up(message, "unknown_outcome")
        elif _is_permanent(exception, options):
            self._give_up(message, "permanent_error")
        elif not self._may_retry(options, exception):
            self._give_up(message, "attempts_exhausted")
            self._tell_exhausted(broker, options, message)
        else:
            broker.enqueue(message, delay=wait_ms)

    def _give_up(self, message: JobProxy, reason: str) -> None:
        message.decision = Decision("dead_letter", reason)
        message.fail()

    def _may_retry(self, options: dict[str, Any], exception: BaseException) -> bool:
        retry_when = options.get("retry_when", self.retry_when)
        if retry_when is not None:
            return bool(retry_when(options["retries"], exception))
        return bool(options["retries"] < options["max_retries"])

    def _tell_exhausted(self, broker: Any, options: dict[str, Any], message: JobProxy) -> None:
        target = options.get("on_retry_exhausted")
        if target:
            limits = {"retries": options["retries"], "max_retries": options["max_retries"]}
            broker.get_actor(target).send(message.asdict(), limits)


def _is_permanent(exception: BaseException, options: dict[str, Any]) -> bool:
    if isinstance(exception, (PermanentError, ArgumentsMismatch)):
        return True
    if _is_one_of(exception, options.get("throws")) or _is_one_of(exception, options.get("fail_on")):
        return True
    retry_on = options.get("retry_on")
    return retry_on is not None and not any(
        _is_one_of(each, retry_on) or isinstance(each, (*ALWAYS_RETRIED, Retry, RetryLater))
        for each in _chain(exception)
    )


def _is_one_of(exception: BaseException, given: Any) -> bool:
    """Whether an error is of the classes that an actor names, or that a message names by their names."""
    if isinstance(given, list):
        return any(_name(each) in given for each in type(exception).__mro__)
    return isinstance(exception, given or ())


def _chain(exception: BaseException | None) -> Iterator[BaseException]:
    """An error and those it came from: HTTP clients wrap the ConnectionError that was there first, also "from None"."""
    seen: set[int] = set()
    while exception is not None and id(exception) not in seen:
        seen.add(id(exception))
        yield exception
        if isinstance(exception, BaseExceptionGroup):
            yield from exception.exceptions
        exception = exception.__cause__ or exception.__context__


def _may_snooze(message: JobProxy, wait_ms: int) -> bool:
    """Not without end: what goes beyond the limits is an attempt like any other."""
    claimed = message.claimed
    return claimed.snoozes < SNOOZES_LIMIT and claimed.snoozed_ms + wait_ms <= SNOOZED_LIMIT_MS


def _wait(exception: BaseException, options: dict[str, Any]) -> int:
    """Milliseconds until the next attempt, charged or not."""
    if isinstance(exception, RetryLater):
        return min(exception.delay_ms, CENTURY_MS)
    if isinstance(exception, Retry) and exception.delay is not None:
        return min(int(exception.delay), CENTURY_MS)
    if isinstance(exception, RateLimitExceeded):
        return full_jitter(1, _base(options), _cap(options)) + _base(options)
    attempts = options["retries"] + 1
    if options.get("backoff") is not None:
        return scheduled_wait(attempts, options["backoff"])
    return full_jitter(attempts, _base(options), _cap(options), _in_ms(options.get("backoff_floor") or 0))


def _base(options: dict[str, Any]) -> int:
    return _in_ms(options.get("min_backoff", BASE_MS))


def _cap(options: dict[str, Any]) -> int:
    return _in_ms(options.get("max_backoff", CAP_MS))


def _in_ms(value: int | timedelta) -> int:
    return int(value.total_seconds() * 1000) if isinstance(value, timedelta) else int(value)


def _is_classes(value: Any) -> bool:
    classes = value if isinstance(value, tuple) else (value,)
    return all(isinstance(each, type) and issubclass(each, BaseException) for each in classes)


def _names(actor: str, option: str, value: Any) -> list[str]:
    """Exception classes by name; a list of names is what an earlier delivery wrote."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    if not _is_classes(value):
        raise InvalidOption(f"{actor}: {option} takes an exception class or a tuple of them")
    return [_name(each) for each in (value if isinstance(value, tuple) else (value,))]


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _check_waits(actor: str, options: Mapping[str, Any]) -> None:
    for name in _WAITS:
        if options.get(name) is not None:
            try:
                check_schedule(options[name], name, may_be_list=name == "backoff")
            except InvalidJob as error:
                raise InvalidOption(f"{actor}: {error}", code=error.code) from None


def _as_json(wait: Any) -> Any:
    return [_in_ms(each) for each in wait] if isinstance(wait, (list, tuple)) else _in_ms(wait)
