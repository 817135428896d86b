"""Reads a request's body as strict JSON."""

import json
import math
from typing import Any

from flask import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

BODY_LIMIT = 1024 * 1024
DEPTH_LIMIT = 64


def json_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        UnsupportedMediaType: it is not sent as JSON in UTF-8.
        RequestEntityTooLarge: it has more than `BODY_LIMIT` bytes.
        BadRequest: it is no JSON object; also for NaN, Infinity, a name that stands twice, and deep nesting.
    """
    if request.mimetype != "application/json" or _charset(request) != "utf-8":
        raise UnsupportedMediaType("Send the body as JSON in UTF-8, with 'Content-Type: application/json'.")
    body = whole_body(request)
    try:
        found = json.loads(
            body.decode(), object_pairs_hook=_object, parse_float=_finite, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise BadRequest(_too_deep()) from None
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise BadRequest("The body has to be a JSON object.")
    if body.count(b"{") + body.count(b"[") > DEPTH_LIMIT and _depth(found) > DEPTH_LIMIT:
        raise BadRequest(_too_deep())
    return found


def json_object_if_any(request: Request) -> dict[str, Any]:
    """The same; an empty object when the request has no body."""
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return {}
    return json_object(request)


def whole_body(request: Request) -> bytes:
    """The bytes of a request, which may be asked for again.

    Raises:
        RequestEntityTooLarge: it has more than `BODY_LIMIT` bytes.
    """
    # Werkzeug refuses a Content-Length over its limit, but cuts a chunked body there.
    request.max_content_length = BODY_LIMIT + 1
    too_large = RequestEntityTooLarge(f"The body has more than {BODY_LIMIT} bytes.")
    try:
        body = request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise too_large from None
    if len(body) > BODY_LIMIT:
        raise too_large
    return body


def _charset(request: Request) -> str:
    return request.mimetype_params.get("charset", "utf-8").lower()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")


def _depth(found: object) -> int:
    depth, level = 0, [found]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)  # type: ignore[attr-defined]
            if isinstance(inner, (dict, list))
        ]
    return depth


def _too_deep() -> str:
    return f"The body is nested more than {DEPTH_LIMIT} levels deep."
