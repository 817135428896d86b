"""What goes into the transitions and comes out of them."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class SessionLost(Exception):
    """The session's lease ran out and its jobs were taken back; open a new one."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What makes a repeated request one job.

    Attributes:
        name: of the record: whose key, and which.
        fingerprint: of what is asked for; another one under the same name is a mistake of the caller.
        keep_ms: how long the record is kept.
    """

    name: str
    fingerprint: str
    keep_ms: int

    def arguments(self) -> tuple[Any, ...]:
        """The three values of lua/submit.lua."""
        return self.name, self.fingerprint, self.keep_ms


@dataclass(frozen=True, slots=True)
class Lock:
    """What makes work unique; see lua/lib/unique.lua and lua/lib/create.lua.

    Attributes:
        digest: names the work, in at most 64 characters.
        until: when another job may do it: start, done, success, or the milliseconds of a window.
        on_conflict: return, reject, replace, debounce or keep_last.
        max_wait_ms: how long after its creation a job may be debounced at most; None: without end.
        is_fixed: whether the job's message may not be replaced by another one.
    """

    digest: str
    until: str
    on_conflict: str = "return"
    max_wait_ms: int | None = None
    is_fixed: bool = False

    def argument(self) -> str:
        """The one value of lua/lib/create.lua."""
        most = "-" if self.max_wait_ms is None else self.max_wait_ms
        return f"{self.digest} {self.until} {self.on_conflict} {most} {int(self.is_fixed)}"


@dataclass(frozen=True, slots=True)
class Hook:
    """Who is told of the ends of a job; see tell_end() in lua/lib/final.lua.

    Attributes:
        events: the final states that are told of.
        delivery: the job that tells of one, without id and parent; its message goes on there.
    """

    events: tuple[str, ...]
    delivery: "NewJob"

    def argument(self) -> bytes:
        """The one value of lua/lib/create.lua."""
        return _written(" ".join(self.events), _written(*self.delivery.arguments()))


# Not frozen: that takes three times as long to make, which is a part of the way in that shows.
@dataclass(slots=True)
class NewJob:
    """A job to create.

    Attributes:
        message: the Dramatiq message as JSON.
        run_at_ms, delay_ms: when it is wanted, as an instant or from now on the server's clock; now without both.
        expires_at_ms, expires_in_ms: not to be started after this.
        dead_reason: creates the job dead, for a follow-up that cannot run.
        group: of this job, or of a later step of its pipeline: it fails when this job does not complete.
        is_member: whether completing this job counts in the group.
        callbacks: of the group, created when it is complete.
        lock: of the work it does, which no other job may do meanwhile.
        tags: by which it is found; see jobs/labels.py.
        hook: who is told of its end.
        idempotency: of the request that asks for it; only `Store.submit` and `Schedules.run_now` look at it.
    """

    id: str
    queue: str
    actor: str
    message: bytes
    priority: int = 0
    run_at_ms: int | None = None
    delay_ms: int | None = None
    expires_at_ms: int | None = None
    expires_in_ms: int | None = None
    max_attempts: int = 10
    max_crashes: int = 3
    parent: str = ""
    dead_reason: str = ""
    group: str = ""
    is_member: bool = False
    callbacks: "tuple[NewJob, ...]" = ()
    lock: Lock | None = None
    tags: tuple[str, ...] = ()
    hook: Hook | None = None
    idempotency: Idempotency | None = None

    def arguments(self) -> tuple[Any, ...]:
        """The seventeen values of lua/lib/create.lua."""
        return (
            self.id,
            self.queue,
            self.actor,
            self.priority,
            _instant(self.run_at_ms, self.delay_ms),
            _instant(self.expires_at_ms, self.expires_in_ms),
            self.max_attempts,
            self.max_crashes,
            self.parent,
            self.dead_reason,
            self.group,
            int(self.is_member),
            b"".join(_written(*job.arguments()) for job in self.callbacks),
            self.lock.argument() if self.lock else "",
            self.message,
            " ".join(self.tags),
            self.hook.argument() if self.hook else "",
        )


def _written(*values: Any) -> bytes:
    """See read_values() in lua/lib/final.lua."""
    texts = (value if isinstance(value, bytes) else str(value).encode() for value in values)
    return b"".join(b"%d:%s" % (len(text), text) for text in texts)


def _instant(at_ms: int | None, in_ms: int | None) -> str:
    if at_ms is not None:
        return str(at_ms)
    return "" if in_ms is None else f"+{in_ms}"


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a job that was submitted.

    Attributes:
        word: ``created``; ``follows`` when it waits for the end of another job that does the same work; ``exists``
            when the id is taken (a repeated call); ``replayed`` when its idempotency key made a job before;
            ``conflict`` when that was another request; ``too_late`` when it could never start. Of work that another
            job does: ``duplicate`` (that one is left as it is), ``replaced`` (it has the new arguments now) or
            ``rejected``. ``full`` when its queue takes no more; ``held_back`` when another job of the same call was
            refused, and it was all or none.
        created_at_ms: of the job, by the server's clock; 0 when there is none.
        id, actor, queue, state: of the other job, when there is one; ``pruned`` once its record is gone.
    """

    word: str
    created_at_ms: int
    id: str = ""
    actor: str = ""
    queue: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """Whether what was asked for was taken, how much is left of the window, and in how many ms that ends."""

    granted: bool
    left: int
    ends_in_ms: int


class ClaimedJob(NamedTuple):
    """A job as handed to a session. (A tuple, as a frozen dataclass takes some microseconds to make.)

    Attributes:
        attempts, crashes: those charged before this delivery.
        snoozes, snoozed_ms: how often it was put back uncharged, and for how long in all.
        runs_alone: whether the next crash would end it, so that nothing is to start beside it.
        unknown_for_ms: how long ago a worker that did not know the actor first met it; None when none did.
    """

    id: str
    token: str
    queue: str
    attempts: int
    crashes: int
    max_attempts: int
    message: bytes
    unknown_for_ms: int | None = None
    snoozes: int = 0
    snoozed_ms: int = 0
    runs_alone: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """What a claim returned; ``next_due_ms`` is None when nothing is scheduled."""

    jobs: list[ClaimedJob]
    next_due_ms: int | None
    more: bool


@dataclass(slots=True)
class Outcome:
    """How one delivery ended.

    Attributes:
        verb: complete, retry, snooze, dead_letter, hand_back or cancel.
        delay_ms: wait before the next delivery (retry, snooze).
        charged: whether it uses up an attempt (dead_letter).
        reason: why it waits again or is dead; of a hand_back, why it was stopped, and empty if it had not begun.
        error, result: JSON, or empty.
        message: what the next delivery gets; empty leaves it as it is.
        fingerprint: of the exception that made the job dead; empty when there was none.
    """

    id: str
    token: str
    verb: str
    delay_ms: int = 0
    charged: bool = True
    reason: str = ""
    error: str = ""
    result: str = ""
    message: bytes = b""
    fingerprint: str = ""
    follow_ups: list[NewJob] = field(default_factory=list)

    def arguments(self) -> list[Any]:
        """The values of lua/finish.lua for this outcome."""
        values: list[Any] = [
            self.id,
            self.token,
            self.verb,
            self.delay_ms,
            int(self.charged),
            self.reason,
            self.error,
            self.result,
            self.message,
            self.fingerprint,
            len(self.follow_ups),
        ]
        for job in self.follow_ups:
            values.extend(job.arguments())
        return values


@dataclass(frozen=True, slots=True)
class Rescued:
    """What a rescue did; ``holding`` while it waits out one lease after an outage."""

    holding: bool
    jobs: int
    dead: int
    more: bool
