"""One delivery of a job: what Dramatiq passes around while a worker thread processes it."""

import json
import traceback
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import dramatiq
from dramatiq.errors import ActorNotFound
from dramatiq.middleware import SkipMessage, TimeLimitExceeded

from ..jobs.errors import PermanentError, ResultNotStorable
from ..jobs.fingerprint import fingerprint_of_error, frames_of, own_frame
from ..jobs.masking import scrubbed
from ..jobs.results import result_json
from ..store import ClaimedJob, NewJob, Outcome, Queries, Store

RESULT_LIMIT = 64 * 1024
TRACEBACK_LIMIT = 8 * 1024
UNKNOWN_ACTOR_WAITS_MS = (250, 30_000)
UNKNOWN_ACTOR_GIVE_UP_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Notes:
    """Where running jobs write and read about themselves."""

    store: Store
    reads: Queries


@dataclass(frozen=True, slots=True)
class Decision:
    """What the retry middleware decided; finish does it.

    Attributes:
        verb: retry, snooze, dead_letter, hand_back or cancel.
        delay_ms: wait before the next delivery.
        reason: kept on the job as wait_reason or reason.
        message: what the next delivery gets, as JSON; empty leaves it as it is.
    """

    verb: str
    reason: str = ""
    delay_ms: int = 0
    message: bytes = b""


class JobProxy(dramatiq.MessageProxy):
    """A message under a claim.

    Attributes:
        claimed: the claim, with its token.
        in_actor: True while the actor's own function runs: what it sends goes out at once. What hooks send
            before or after it waits in ``outbox`` for finish.
        notes: where its actor writes and reads about the job; set when it starts.
        secrets: values of its sensitive arguments; set when it starts.
        is_cancelled: whether somebody asked it to stop.
        was_interrupted: whether an interrupt was raised in it by us, and not by its own code.
        steps: names of those it has come to; each once.
        began_at: when it began, on the clock of perf_counter.
        is_finished: whether its outcome is on its way; nothing can follow with it any more.
        decision: set by the retry middleware when the attempt failed.
    """

    def __init__(self, message: dramatiq.Message[Any], claimed: ClaimedJob) -> None:
        super().__init__(message)
        # The proxy would look each of these up by way of __getattr__, some thirty times for one message.
        self.message_id, self.actor_name, self.queue_name = (
            message.message_id,
            message.actor_name,
            message.queue_name,
        )
        self.args, self.kwargs, self.options = message.args, message.kwargs, message.options
        self.claimed = claimed
        self.in_actor = False
        self.notes: Notes | None = None
        self.secrets: tuple[str, ...] = ()
        self.is_cancelled = False
        self.began_at = 0.0
        self.was_interrupted = False
        self.steps: set[str] = set()
        self.is_finished = False
        self.decision: Decision | None = None
        self.outbox: list[NewJob] = []
        self.result = ""
        self._unstorable: ResultNotStorable | None = None

    def __str__(self) -> str:
        """For logs: without arguments, which may be sensitive."""
        return f"{self.actor_name} {self.message_id}"

    @property
    def message(self) -> "JobProxy":
        """Itself: what worker threads take out of their queue has its message there."""
        return self

    @property
    def session(self) -> str:
        """The session that claimed it."""
        return self.claimed.token.rpartition(":")[0]

    def note_result(self, value: Any) -> None:
        """Keep the actor's value for finish; one that cannot be stored makes the job fail for good."""
        try:
            self.result = result_json(value, RESULT_LIMIT, f"the result of {self.actor_name}")
        except ResultNotStorable as error:
            self._unstorable = error

    def outcome(self) -> Outcome:
        """How this delivery ended, for finish."""
        error = self._exception or self._unstorable
        if error is None and not self.failed:
            return self._outcome("complete", result=self.result)
        if self._unstorable is not None and self._exception is None:
            self.outbox = []  # what was to follow a success
            return self._outcome(
                "dead_letter",
                reason="result_not_storable",
                error=describe(self._unstorable, self.secrets),
                fingerprint=self._fingerprint(self._unstorable),
            )
        decision = self.decision or Decision("dead_letter", self._dead_reason(error))
        if isinstance(error, ActorNotFound):
            decision = self._wait_for_actor()
        return self._outcome(
            decision.verb,
            reason=decision.reason,
            delay_ms=decision.delay_ms,
            message=decision.message,
            error=""
            if error is None or decision.verb in ("hand_back", "cancel")
            else describe(error, self.secrets),
            charged=not isinstance(error, ActorNotFound),
            fingerprint=self._fingerprint(error) if decision.verb == "dead_letter" else "",
        )

    def _outcome(self, verb: str, **fields: Any) -> Outcome:
        return Outcome(self.claimed.id, self.claimed.token, verb, follow_ups=self.outbox, **fields)

    def _fingerprint(self, error: BaseException | None) -> str:
        """Empty for what is no failure of the actor's code: such jobs are grouped by their reason."""
        if error is None or isinstance(error, ActorNotFound):
            return ""
        return fingerprint_of_error(self.actor_name, type(error).__name__, own_frame(frames_of(error)))

    def _dead_reason(self, error: BaseException | None) -> str:
        if error is None or isinstance(error, SkipMessage):
            return "skipped"
        if isinstance(error, PermanentError):
            return "permanent_error"
        return "failed"

    def _wait_for_actor(self) -> Decision:
        """Another worker may know the actor, now or after the deploy under way: look again soon, then seldom."""
        waited = self.claimed.unknown_for_ms or 0
        if waited > UNKNOWN_ACTOR_GIVE_UP_MS:
            return Decision("dead_letter", "unknown_actor")
        first, longest = UNKNOWN_ACTOR_WAITS_MS
        return Decision("snooze", "unknown_actor", min(longest, max(first, waited // 2)))


CURRENT: ContextVar[JobProxy | None] = ContextVar("current_delivery", default=None)
"""The delivery that this thread (or coroutine) is processing."""


def describe(error: BaseException, secrets: tuple[str, ...] = ()) -> str:
    """An exception as JSON: type, message, where the team's own code was, and the end of its traceback.

    Args:
        secrets: texts that are not to be told.
    """
    found = {
        "type": type(error).__name__,
        "message": scrubbed(_text(error), secrets)[:2000],
        "frame": own_frame(frames_of(error)),
        "traceback": scrubbed(_traceback(error), secrets)[-TRACEBACK_LIMIT:],
    }
    return json.dumps(found, separators=(",", ":"))


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error, limit=-30))
    except BaseException:  # noqa: BLE001 - as below: it prints the exception too
        return "".join(traceback.format_tb(error.__traceback__, limit=-30))


def _text(error: BaseException) -> str:
    if isinstance(error, TimeLimitExceeded) and not error.args:
        return "the attempt ran longer than its time limit"
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - a user's __str__ may do anything, and the job still has to end
        return "<the exception cannot be printed>"
