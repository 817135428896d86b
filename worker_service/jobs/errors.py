"""Every error of this project. Driver errors are translated into these where they occur."""


class WorkerServiceError(Exception):
    """Base of all errors below."""


class StoreUnavailable(WorkerServiceError):
    """Raised when Redis cannot be reached or refuses to work for now (loading, read-only); try again."""


class StoreFull(StoreUnavailable):
    """Raised when Redis refuses new work because its memory limit is reached."""


class StoreUnfit(WorkerServiceError):
    """Raised when Redis answers, but is set up so that it would refuse or lose jobs; says what to change."""


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


class InvalidArguments(InvalidJob):
    """Raised when the arguments do not fit the actor's signature; ``problems`` lists each of them."""

    def __init__(self, detail: str, problems: list[InvalidJob]) -> None:
        super().__init__(detail, pointer="/args", code="invalid_arguments", problems=problems)


class UnknownJob(WorkerServiceError, LookupError):
    """Raised when no job has this id: it never existed, or it was pruned."""


class PermanentError(WorkerServiceError):
    """Raise it in an actor to give the job up at once: no retry can help."""


class ResultNotStorable(PermanentError):
    """Raised when a result is not JSON or larger than 64 KiB; store it elsewhere, return a reference."""
