"""Errors as ``application/problem+json`` (RFC 9457), and the request id that log and answer share."""

import os
import re
from http import HTTPStatus

from flask import Flask, Response, current_app, g, json, request
from werkzeug.exceptions import HTTPException, NotFound

from ..jobs.errors import (
    ActorNotAllowed,
    Draining,
    DuplicateJob,
    IdempotencyKeyReused,
    InvalidBatch,
    InvalidJob,
    InvalidQuery,
    InvalidSchedule,
    JobFinished,
    JobNotFinished,
    JobNotSucceeded,
    JobNotWaiting,
    NotDurable,
    NotReplayable,
    NotSettleable,
    OverQuota,
    QueueFull,
    ScheduleChanged,
    ScheduleDamaged,
    ScheduleOfCode,
    StoreFull,
    StoreUnavailable,
    StoreUnfit,
    TooManyKeys,
    TooManyWaiting,
    UnknownActor,
    UnknownJob,
    UnknownKey,
    UnknownQueue,
    UnknownSchedule,
    UnknownStep,
    UnknownWorker,
    WorkerServiceError,
)
from .answers import ProblemJson

#: error class -> status, last part of the type's URN, title. A subclass stands before its base.
STATUS: dict[type[WorkerServiceError], tuple[int, str, str]] = {
    IdempotencyKeyReused: (422, "idempotency-key-reused", "The key belongs to another request"),
    InvalidQuery: (422, "invalid-query", "The request cannot be carried out"),
    InvalidSchedule: (422, "invalid-schedule", "The schedule cannot be kept"),
    InvalidBatch: (422, "invalid-batch", "The jobs cannot be accepted together"),
    InvalidJob: (422, "invalid-job", "The job cannot be accepted"),
    DuplicateJob: (409, "duplicate-job", "Another job does the same work"),
    JobFinished: (409, "job-finished", "The job has ended"),
    JobNotFinished: (409, "job-not-finished", "The job has not ended"),
    JobNotSucceeded: (409, "job-not-succeeded", "The job has no result"),
    JobNotWaiting: (409, "job-not-waiting", "The job does not wait for its time"),
    NotReplayable: (409, "not-replayable", "The job cannot be put back"),
    NotSettleable: (409, "not-settleable", "The step cannot be settled"),
    ScheduleOfCode: (409, "schedule-of-code", "The schedule is declared in code"),
    ScheduleDamaged: (409, "schedule-damaged", "The schedule cannot be read"),
    ScheduleChanged: (412, "schedule-changed", "The schedule is not the expected one"),
    ActorNotAllowed: (403, "actor-not-allowed", "The key is not for this actor"),
    TooManyKeys: (409, "too-many-keys", "No more keys are kept"),
    UnknownActor: (404, "unknown-actor", "There is no such actor"),
    UnknownQueue: (404, "unknown-queue", "There is no such queue"),
    UnknownSchedule: (404, "unknown-schedule", "There is no such schedule"),
    UnknownWorker: (404, "unknown-worker", "There is no such worker process"),
    UnknownJob: (404, "unknown-job", "There is no such job"),
    UnknownKey: (404, "unknown-key", "There is no such key"),
    UnknownStep: (404, "unknown-step", "There is no such step"),
    OverQuota: (429, "over-quota", "The key has used up its quota"),
    QueueFull: (503, "queue-full", "The queue takes no more jobs"),
    NotDurable: (503, "not-durable", "The job is accepted, but not yet as safe as asked for"),
    TooManyWaiting: (503, "too-many-waiting", "Too many requests wait"),
    Draining: (503, "draining", "The process ends"),
    StoreFull: (503, "store-full", "No memory for more jobs"),
    StoreUnfit: (503, "store-unfit", "The job store would refuse or lose jobs"),
    StoreUnavailable: (503, "store-unavailable", "The job store is away"),
}
RETRY_AFTER_SECONDS = 2
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


def install(app: Flask) -> None:
    """Make every error of an application a problem, and give every answer its ``X-Request-Id``."""
    app.before_request(_begin)
    app.after_request(_with_request_id)
    app.register_error_handler(WorkerServiceError, _ours)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def urn(name: str) -> str:
    """The type of a problem."""
    return f"urn:worker-service:problem:{name}"


def _begin() -> None:
    given = request.environ.get("HTTP_X_REQUEST_ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


def _with_request_id(response: Response) -> Response:
    response.headers["X-Request-Id"] = request_id()
    return response


def request_id() -> str:
    """That of the request which is being answered."""
    if "request_id" not in g:
        _begin()
    return str(g.request_id)


def problem_word(error: WorkerServiceError) -> str:
    """The last part of the type's URN."""
    return _known(error)[1]


def problem_json(error: WorkerServiceError) -> ProblemJson:
    """What is told of one of our errors.

    Raises:
        LookupError: it is none that a request can lead to.
    """
    status, name, title = _known(error)
    found = ProblemJson(
        type=urn(name), title=title, status=status, detail=str(error), request_id=request_id()
    )
    if isinstance(error, InvalidJob):
        found["errors"] = [
            {"pointer": each.pointer, "detail": str(each), "code": each.code} for each in error.problems
        ]
    if isinstance(error, DuplicateJob):
        found["job_id"] = error.id
    return found


def _known(error: WorkerServiceError) -> tuple[int, str, str]:
    return STATUS[next(known for known in (*STATUS, type(error)) if isinstance(error, known))]


def as_problem(error: Exception) -> Response:
    """The answer that tells of an error."""
    if isinstance(error, WorkerServiceError):
        return _ours(error)
    return _http(error) if isinstance(error, HTTPException) else _unexpected(error)


def _ours(error: WorkerServiceError) -> Response:
    try:
        problem = problem_json(error)
    except LookupError:
        return _unexpected(error)
    response = _response(problem)
    if problem["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, OverQuota):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return Response(error.get_response().get_data(), error.code, error.get_headers())
    detail = error.description or ""
    if detail == NotFound.description:
        detail = f"There is no address {request.path[:200]!r}: /docs has all there are, such as /v1/jobs."
    response = _problem(error.code, error.name.lower().replace(" ", "-"), error.name, detail)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers.add(name, value)
    return response


def _unexpected(error: Exception) -> Response:
    current_app.logger.error(
        "Request %s failed: %s %s", request_id(), request.method, request.url_rule or "", exc_info=error
    )
    return _problem(
        500, "internal-error", "Internal error", "The service made a mistake; its log has this request id."
    )


def _problem(status: int, name: str, title: str, detail: str) -> Response:
    return _response(
        {
            "type": urn(name),
            "title": title,
            "status": status,
            "detail": detail,
            "request_id": request_id(),
        }
    )


def _response(problem: ProblemJson) -> Response:
    g.problem = problem["type"].rpartition(":")[2]
    text = json.dumps(problem, separators=(",", ":"))
    return Response(text, problem["status"], content_type="application/problem+json")
