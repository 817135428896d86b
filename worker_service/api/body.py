"""Reads a request's body as strict JSON. How the bytes come in, and how many at once: see whole_body."""

import json
import math
import re
from typing import Any

from flask import Request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from .whole_body import whole_body

BODY_LIMIT = 1024 * 1024
DEPTH_LIMIT = 64
JSON = "application/json"


def json_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request.

    Raises:
        UnsupportedMediaType: it is not sent as JSON in UTF-8.
        RequestEntityTooLarge: it has more than `BODY_LIMIT` bytes.
        BadRequest: it is no JSON object; also for NaN, Infinity, a name that stands twice, and deep nesting.
    """
    media_type(request, JSON)
    with whole_body(request, BODY_LIMIT) as body:
        try:
            found = parsed(body.decode())
        except ValueError as error:
            raise BadRequest(f"The body is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise BadRequest("The body has to be a JSON object.")
    return found


def json_object_if_any(request: Request) -> dict[str, Any]:
    """The same; an empty object when the request has no body."""
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return {}
    return json_object(request)


def media_type(request: Request, *allowed: str) -> str:
    """Which of these a request's body is sent as.

    Raises:
        UnsupportedMediaType: none of them, or not in UTF-8.
    """
    if request.mimetype not in allowed or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        names = " or ".join(f"'Content-Type: {name}'" for name in allowed)
        raise UnsupportedMediaType(f"Send the body as JSON in UTF-8, with {names}.")
    return request.mimetype


def parsed(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: says what is wrong with it.
    """
    value, end = parsed_at(text, after_space(text, 0))
    if after_space(text, end) != len(text):
        raise ValueError(f"Extra data: char {end}")
    return value


def parsed_at(text: str, begin: int) -> tuple[Any, int]:
    """The JSON value that begins at a place of a text, and where it ends.

    Raises:
        ValueError: says what is wrong with it.
    """
    try:
        value, end = _DECODER.raw_decode(text, begin)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if (
        text.count("{", begin, end) + text.count("[", begin, end) > DEPTH_LIMIT
        and _depth(value) > DEPTH_LIMIT
    ):
        raise ValueError(_TOO_DEEP)
    return value, end


def after_space(text: str, begin: int) -> int:
    """Where what follows the white space at a place begins."""
    found = _SPACE.match(text, begin)
    return found.end() if found else begin


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


_SPACE = re.compile(r"[ \t\n\r]*")
_TOO_DEEP = f"it is nested more than {DEPTH_LIMIT} levels deep"
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_refuse_constant)
