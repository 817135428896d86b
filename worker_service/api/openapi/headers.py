"""Headers that mean something: those of requests with what they may hold, those of answers with a sentence."""

from typing import Any

REQUEST_ID = "X-Request-Id"

REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "type": "string",
        "pattern": r'^([!#-+\-.-~][!-+\-.-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$',
        "examples": ["order-17"],
    },
    "Durability": {"type": "string", "enum": ["memory", "fsync", "replica"]},
}
"""Schemas of the values of request headers, where not any text will do."""


def _text(sentence: str) -> dict[str, Any]:
    return {"description": sentence, "schema": {"type": "string"}}


ANSWER_HEADERS: dict[str, dict[str, Any]] = {
    REQUEST_ID: _text("That of the request, or a new one; the log has it too."),
    "Location": _text("Address of what was made."),
    "Link": _text('The next page, as `rel="next"` (RFC 8288).'),
    "ETag": _text("The version of what is shown."),
    "Idempotent-Replayed": {
        "description": "The same request came before; this is the job that it made.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds to wait before the request is sent again.",
        "schema": {"type": "integer"},
    },
    "Preference-Applied": _text("`wait=N`: the end of the job was waited for, N seconds at most."),
    "RateLimit-Policy": _text(
        "The quota of the key, when it has one (draft-ietf-httpapi-ratelimit-headers)."
    ),
    "RateLimit": _text("What is left of it, and in how many seconds there is all of it again."),
    "WWW-Authenticate": _text("How to show a key."),
}
"""Header Objects of answers; a header that a `Document` sends needs one."""


def header_schema(name: str) -> dict[str, Any]:
    """What a request header may hold."""
    return REQUEST_HEADERS.get(name, {"type": "string"})


def header_refs(*names: str) -> dict[str, dict[str, str]]:
    """References to some of them."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names if name in ANSWER_HEADERS}
