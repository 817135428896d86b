"""What a call of the client may raise."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .job import Job


class ClientError(Exception):
    """Base of all errors below."""


class NoAnswer(ClientError):
    """Raised when the service could not be reached, or was busy, in every attempt; the same call may be made again.

    Attributes:
        problem: what it answered at last; None when it was not reached.
    """

    def __init__(self, message: str, problem: "Problem | None" = None) -> None:
        self.problem = problem
        super().__init__(message)


class Problem(ClientError):
    """Raised when the service refuses a request.

    Attributes:
        status: of the answer, 422 for example.
        type: a stable URN; docs/errors.md of the service lists them.
        title: what it means, in a few words.
        detail: what is wrong with this request.
        errors: one object per wrong field, with ``pointer``, ``detail`` and ``code``.
        body: the whole answer.
    """

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.type: str = body.get("type", "about:blank")
        self.title: str = body.get("title", "")
        self.detail: str = body.get("detail", "")
        self.errors: list[dict[str, Any]] = body.get("errors", [])
        self.body = body
        super().__init__(f"{status} {self.title}: {self.detail}")


class WaitedTooLong(ClientError):
    """Raised when a job has not ended in time; it goes on.

    Attributes:
        job: as it stood at last.
    """

    def __init__(self, job: "Job") -> None:
        self.job = job
        super().__init__(f"The job {job.id} is still {job.state}.")


class JobFailed(ClientError):
    """Raised when the result of a job is asked for that ended without one.

    Attributes:
        job: with its error.
    """

    def __init__(self, job: "Job") -> None:
        self.job = job
        error = job.error or {}
        why = f"{error['type']}: {error['message']}" if error else job.reason or "no reason is known"
        super().__init__(f"The job {job.id} is {job.state}: {why}")
