"""JSON without white space, written fast: for values that are JSON already, such as answers."""

import json
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

ENCODER = json.JSONEncoder(separators=(",", ":"))
"""For values that may be anything: it refuses what is no JSON. Made once, because making one costs more than a small
value does."""


def compact(value: Any) -> bytes:
    """The JSON text of a value."""
    try:
        return to_json(value)
    except PydanticSerializationError:  # half of a surrogate pair, which only an escape can write
        return ENCODER.encode(value).encode()
