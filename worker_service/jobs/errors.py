"""Every error of this project. Driver errors are translated into these where they occur."""

from datetime import timedelta


class WorkerServiceError(Exception):
    """Base of all errors below."""


class StoreUnavailable(WorkerServiceError):
    """Raised when Redis cannot be reached or refuses to work for now (loading, read-only); try again."""


class StoreFull(StoreUnavailable):
    """Raised when Redis refuses new work because its memory limit is reached."""


class StoreUnfit(WorkerServiceError):
    """Raised when Redis answers, but is set up so that it would refuse or lose jobs; says what to change."""


class NotDurable(WorkerServiceError):
    """Raised when a job was created, but is not known to be as safe as was asked for; send the request again."""


class QueueFull(WorkerServiceError):
    """Raised when as many jobs wait in a queue as its limit allows; nothing was created."""


class OverQuota(WorkerServiceError):
    """Raised when a key has used up what it may ask for in a minute.

    Attributes:
        retry_after: seconds until there is more.
    """

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class StoreTooNew(WorkerServiceError):
    """Raised at start when the data was written by a newer version; run that version, or a newer one."""


class InvalidJob(WorkerServiceError, ValueError):
    """Raised at the call when a job cannot be accepted as asked: a name, an option or an argument is wrong.

    Attributes:
        pointer: JSON pointer to the wrong part of the request, for example ``/args/x``.
        code: a stable word for the kind of mistake, for example ``unknown_actor``.
        problems: each mistake by itself, when there are several; otherwise this one.
    """

    def __init__(
        self,
        detail: str,
        *,
        pointer: str = "",
        code: str = "invalid",
        problems: "list[InvalidJob] | None" = None,
    ) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.code = code
        self.problems = problems or [self]


class InvalidQuery(InvalidJob):
    """Raised when a list, or a change of a queue or a step, is asked for with a wrong parameter."""


class InvalidArguments(InvalidJob):
    """Raised when the arguments do not fit the actor's signature; ``problems`` lists each of them."""

    def __init__(self, detail: str, problems: list[InvalidJob]) -> None:
        super().__init__(detail, pointer="/args", code="invalid_arguments", problems=problems)


class InvalidBatch(InvalidJob):
    """Raised when jobs are to be created all or none and one cannot be; ``problems`` lists the mistakes of each."""

    def __init__(self, problems: list[InvalidJob]) -> None:
        super().__init__(
            "No job was created: " + "; ".join(f"{each.pointer}: {each}" for each in problems[:10]),
            pointer="/jobs",
            problems=problems,
        )


class InvalidSchedule(InvalidJob):
    """Raised when a schedule cannot be kept as it is asked for; ``problems`` lists each mistake."""


class InvalidCron(InvalidJob):
    """Raised when the text of a schedule is not cron's, or it would never run.

    Attributes:
        field: the wrong one, for example ``day of month``; empty when it is the whole text.
    """

    def __init__(self, detail: str, field: str = "") -> None:
        super().__init__(detail, code="bad_cron")
        self.field = field


class IdempotencyKeyReused(WorkerServiceError):
    """Raised when an idempotency key comes again with another request; use a new key for each request."""


class DuplicateJob(WorkerServiceError):
    """Raised when another job does the same work, and a further one was to be rejected, or cannot be merged into it.

    Attributes:
        id: of that other job.
    """

    def __init__(self, detail: str, id: str) -> None:
        super().__init__(detail)
        self.id = id


class UnknownActor(WorkerServiceError, LookupError):
    """Raised when no actor has this name."""


class UnknownQueue(WorkerServiceError, LookupError):
    """Raised when no queue has this name."""


class UnknownSchedule(WorkerServiceError, LookupError):
    """Raised when no schedule has this name."""


class ScheduleOfCode(WorkerServiceError):
    """Raised when a schedule that code declares is to be replaced or removed from outside."""


class ScheduleChanged(WorkerServiceError):
    """Raised when a schedule is not, or not any more, the version that the caller has seen."""


class ScheduleDamaged(WorkerServiceError):
    """Raised when a schedule in the store cannot be read."""


class UnknownJob(WorkerServiceError, LookupError):
    """Raised when no job has this id: it never existed, or it was pruned."""


class UnknownKey(WorkerServiceError, LookupError):
    """Raised when no API key has this id: it never existed, or it was revoked."""


class TooManyKeys(WorkerServiceError):
    """Raised when there are as many API keys as are kept; revoke some."""


class ActorNotAllowed(WorkerServiceError):
    """Raised when a key that is for some actors only is shown to run a job of another one."""


class UnknownStep(WorkerServiceError, LookupError):
    """Raised when a step that is to be settled was not begun, or is known not to have happened."""


class NotSettleable(WorkerServiceError):
    """Raised when a step that is to be settled is done already, or its job runs."""


class JobFinished(WorkerServiceError):
    """Raised when a job that is to be stopped has ended already."""


class JobNotWaiting(WorkerServiceError):
    """Raised when a job that is to run before its time waits for something else, runs, or has ended."""


class UnknownWorker(WorkerServiceError, LookupError):
    """Raised when no worker process has this id: it never existed, or it has ended."""


class JobNotFinished(WorkerServiceError):
    """Raised when a job that is to be removed, or whose result is asked for, waits or runs."""


class JobNotSucceeded(WorkerServiceError):
    """Raised when the result is asked for of a job that has ended without one."""


class TooManyWaiting(WorkerServiceError):
    """Raised when as many requests wait or stream as may; try again in a while."""


class Draining(WorkerServiceError):
    """Raised when this process ends its work and takes no other."""


class NoCurrentJob(WorkerServiceError, RuntimeError):
    """Raised when code that runs outside of a job asks for the current one."""


class NotReplayable(WorkerServiceError):
    """Raised when a job that is to be put back is neither dead nor cancelled."""


class PermanentError(WorkerServiceError):
    """Raise it in an actor to give the job up at once: no retry can help."""


class AddressRefused(PermanentError):
    """Raised when a job is to reach an address that is not public; says what to set where it should be reached."""

    def __init__(self, host: str, address: str) -> None:
        where = host if host == address else f"{host} ({address})"
        super().__init__(
            f"{where} is not a public address, so jobs may not reach it. Where they should, set "
            f"JOBS_OUTBOUND_ALLOW={address} (addresses or networks, with commas) for the workers."
        )


class RetryLater(WorkerServiceError):
    """Raise it in an actor to put the job back for a while. It uses no attempt, up to 100 times and 24 h in all.

    Args:
        delay: how long to wait; or
        delay_ms: the same in milliseconds.
        note: kept on the attempt, for people.
    """

    def __init__(
        self, delay: timedelta | None = None, *, delay_ms: int | None = None, note: str = ""
    ) -> None:
        if (delay is None) == (delay_ms is None):
            raise TypeError("RetryLater takes a timedelta or delay_ms")
        self.delay_ms = max(0, int(delay.total_seconds() * 1000) if delay is not None else int(delay_ms or 0))
        super().__init__(note or f"again in {self.delay_ms / 1000:g} s")


class ResultNotStorable(PermanentError):
    """Raised when a result is not JSON or too large (64 KiB, of a step 8 KiB); store it elsewhere, keep a reference."""


class StepMisused(PermanentError):
    """Raised when a step is used in a way that cannot work: its name, or twice, or inside of another one."""


class ReceiptsMissing(WorkerServiceError):
    """Raised when a database has no table of receipts. It may be on its way with a deploy, so the job is retried."""


class UnknownOutcome(PermanentError):
    """Raised when an earlier run began a step and nobody knows whether it happened: a person has to look."""
