"""What can go wrong with an operation."""

from http import HTTPStatus
from typing import Any

from ...jobs.errors import InvalidQuery, OverQuota, StoreUnavailable
from ..documented import Document
from ..problems import STATUS, urn
from ..scopes import Scope
from .headers import REQUEST_ID, header_refs

PROBLEM = "Problem"
OF_A_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
HTTP_NAMES = {HTTPStatus.INTERNAL_SERVER_ERROR: "internal-error"}
"""Where the last part of the type's URN is not HTTP's own phrase."""
WITH_HEADERS = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After", "RateLimit", "RateLimit-Policy"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}


def problem_names(document: Document, scope: Scope | None) -> dict[int, list[str]]:
    """What can go wrong with an operation: status -> last parts of the types' URNs."""
    found: dict[int, list[str]] = {}
    for status in _of_http(document, scope):
        found.setdefault(status.value, []).append(HTTP_NAMES.get(status, _spelled(status)))
    errors = (
        document.problems
        if scope is None
        else (*document.problems, InvalidQuery, OverQuota, StoreUnavailable)
    )
    for error in dict.fromkeys(errors):
        number, name, _ = STATUS[error]
        found.setdefault(number, []).append(name)
    return {number: sorted(names) for number, names in found.items()}


def response_ref(names: list[str]) -> dict[str, str]:
    """A reference to the response that tells of one of these."""
    return {"$ref": f"#/components/responses/{_response_name(names)}"}


def problem_responses(problems: dict[int, list[str]]) -> dict[str, dict[str, Any]]:
    """The components that these references lead to."""
    return {_response_name(names): _response(HTTPStatus(number), names) for number, names in problems.items()}


def problem_schema() -> dict[str, Any]:
    """Schema of all problems."""
    text = {"type": "string"}
    return {
        "description": "What went wrong (RFC 9457); `errors` tells of each wrong part of a request.",
        "type": "object",
        "additionalProperties": False,
        "required": ["type", "title", "status", "detail", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "request_id": text,
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["pointer", "detail", "code"],
                    "properties": {"pointer": text, "detail": text, "code": text},
                },
            },
            "job_id": {"description": "The job that does the same work.", "type": "string"},
        },
    }


def _of_http(document: Document, scope: Scope | None) -> list[HTTPStatus]:
    """Those that HTTP has a name for; 400 is also that of a host name that is not served."""
    found = [HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.INTERNAL_SERVER_ERROR]
    if scope is not None:
        found.append(HTTPStatus.UNAUTHORIZED)
        found.append(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if document.body is not None:
        found += OF_A_BODY
    if document.text_bodies:
        found.append(HTTPStatus.LENGTH_REQUIRED)
    return list(dict.fromkeys(found))


def _spelled(status: HTTPStatus) -> str:
    return status.phrase.lower().replace(" ", "-")


def _response_name(names: list[str]) -> str:
    return "_or_".join(names)


def _response(status: HTTPStatus, names: list[str]) -> dict[str, Any]:
    schema = {
        "allOf": [
            {"$ref": f"#/components/schemas/{PROBLEM}"},
            {
                "properties": {
                    "type": {"enum": [urn(name) for name in names]},
                    "status": {"const": status.value},
                }
            },
        ]
    }
    return {
        "description": status.phrase,
        "headers": header_refs(REQUEST_ID, *WITH_HEADERS.get(status, ())),
        "content": {"application/problem+json": {"schema": schema}},
    }
