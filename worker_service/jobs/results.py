"""Values that are kept as JSON."""

import json
from typing import Any

from pydantic_core import to_jsonable_python

from .errors import ResultNotStorable

_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=to_jsonable_python)


def result_json(value: Any, limit: int, what: str) -> str:
    """A value as compact JSON; dates, UUIDs, enums and pydantic models become what JSON has for them.

    Args:
        limit: bytes it may have.
        what: it is, for the error: ``the result of add``.

    Raises:
        ResultNotStorable: it is not JSON, or too large.
    """
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultNotStorable(f"{what} is not JSON: {error}") from error
    if len(text) > limit:
        raise ResultNotStorable(
            f"{what} has {len(text)} bytes, at most {limit} are kept: store it elsewhere and keep a reference to it"
        )
    return text
