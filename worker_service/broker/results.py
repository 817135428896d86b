"""Dramatiq's results over the job record."""

import time
from typing import Any

import dramatiq
from dramatiq.results import ResultBackend, ResultFailure, ResultMissing, Results, ResultTimeout
from dramatiq.results.backend import DEFAULT_TIMEOUT

from ..jobs.states import State
from ..store import Job, Queries
from .proxy import CURRENT
from .submission import STORE_RESULT


class JobResults(ResultBackend):
    """Reads results from the record. Inside a claim it only notes the value: finish writes it."""

    def __init__(self, reads: Queries) -> None:
        super().__init__(namespace="unused")
        self._reads = reads

    def store_result(self, message: Any, result: Any, ttl: int) -> None:
        """Note the value for finish, unless nobody wants it. ``ttl`` is not used: a result lives as long as its job."""
        job = CURRENT.get()
        if job is None or job.message_id != message.message_id:
            return
        if job.options.get(STORE_RESULT, True):
            job.note_result(result)

    def store_exception(self, message: Any, exception: BaseException, ttl: int) -> None:
        """Nothing: the error of a dead job was written with its end."""

    def get_result(
        self, message: "dramatiq.Message[Any]", *, block: bool = False, timeout: int | None = None
    ) -> Any:
        """The result of a message.

        Args:
            message: as it was sent.
            block: wait for the end of the job; woken, not polled.
            timeout: milliseconds to wait, 10 s by default.

        Raises:
            ResultMissing: there is no result (yet).
            ResultTimeout: it did not come in time.
            ResultFailure: the job was given up.
        """
        if not block:
            job = self._reads.job(message.message_id)
        else:
            seconds = (DEFAULT_TIMEOUT if timeout is None else timeout) / 1000
            started = time.monotonic()
            job = self._reads.wait_until_final(message.message_id, seconds)
            if (job is None or not job.is_final) and time.monotonic() - started >= seconds:
                raise ResultTimeout(message)
        return _result(message, job)


def _result(message: "dramatiq.Message[Any]", job: Job | None) -> Any:
    if job is not None and job.state is State.DEAD:
        error = job.error or {"type": job.reason or "dead", "message": job.reason or ""}
        raise ResultFailure(
            f"actor raised {error['type']}: {error['message']}", error["type"], error["message"]
        )
    if job is None or job.state is not State.SUCCEEDED or not job.has_result:
        raise ResultMissing(message)
    return job.result


def job_results(reads: Queries) -> Results:
    """Dramatiq's own middleware, for its worker looks for this very type; stores unless told not to."""
    return Results(backend=JobResults(reads), store_results=True)
