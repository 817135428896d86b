"""Decides what follows a failed attempt. Deciding is all it does: the finish script carries it out."""

from typing import Any

from dramatiq.errors import RateLimitExceeded, Retry
from dramatiq.middleware import Retries as DramatiqRetries
from dramatiq.middleware import Shutdown

from ..broker.interrupts import LeaseLost
from ..broker.process import ArgumentsMismatch
from ..broker.proxy import Decision, JobProxy
from ..jobs.backoff import BASE_MS, CAP_MS, full_jitter
from ..jobs.errors import PermanentError


class Retries(DramatiqRetries):
    """Takes the place of Dramatiq's middleware of this name, and knows the same options.

    Differences: 10 attempts in all; full jitter from 1 s, capped at 10 min; a shutdown or a rate limit uses up
    no attempt; a `PermanentError` or arguments that do not fit end the job at once.
    """

    def after_process_message(
        self, broker: Any, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Note the decision on the delivery, or hand the message to ``enqueue``, which notes it."""
        if exception is None:
            return
        actor = broker.get_actor(message.actor_name)
        options = {**actor.options, **message.options}
        retries: int = message.options.get("retries", 0)
        if isinstance(exception, (Shutdown, LeaseLost)):
            message.decision = Decision("hand_back", "shutdown")
        elif isinstance(exception, RateLimitExceeded):
            message.decision = Decision(
                "snooze", "snooze", full_jitter(1, _base(options), _cap(options)) + _base(options)
            )
        elif isinstance(exception, (PermanentError, ArgumentsMismatch)) or _is_expected(exception, options):
            self._give_up(message, "permanent_error")
        elif not self._may_retry(options, retries, exception):
            self._give_up(message, "attempts_exhausted")
            self._tell_exhausted(broker, options, message, retries)
        else:
            broker.enqueue(message, delay=_wait(exception, options, retries))

    def _give_up(self, message: JobProxy, reason: str) -> None:
        message.decision = Decision("dead_letter", reason)
        message.fail()

    def _may_retry(self, options: dict[str, Any], retries: int, exception: BaseException) -> bool:
        retry_when = options.get("retry_when", self.retry_when)
        if retry_when is not None:
            return bool(retry_when(retries, exception))
        return retries < int(options["max_retries"])

    def _tell_exhausted(self, broker: Any, options: dict[str, Any], message: JobProxy, retries: int) -> None:
        target = options.get("on_retry_exhausted")
        if target:
            limits = {"retries": retries, "max_retries": options["max_retries"]}
            broker.get_actor(target).send(message.asdict(), limits)


def _wait(exception: BaseException, options: dict[str, Any], retries: int) -> int:
    if isinstance(exception, Retry) and exception.delay is not None:
        return exception.delay
    return full_jitter(retries + 1, _base(options), _cap(options))


def _base(options: dict[str, Any]) -> int:
    return int(options.get("min_backoff", BASE_MS))


def _cap(options: dict[str, Any]) -> int:
    return int(options.get("max_backoff", CAP_MS))


def _is_expected(exception: BaseException, options: dict[str, Any]) -> bool:
    throws = options.get("throws")
    return throws is not None and isinstance(exception, throws)
