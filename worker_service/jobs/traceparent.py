"""Trace context: the ``traceparent`` of W3C Trace Context (https://www.w3.org/TR/trace-context/#traceparent-header)."""

import re
from typing import Any

_FORM = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)


def read_traceparent(given: Any) -> str | None:
    """The trace that something belongs to, in version 00, which is the one known here.

    What a later version adds is left out, as its rules ask for.

    Returns:
        None for what is no traceparent: it is ignored, never an error.
    """
    found = _FORM.fullmatch(given) if isinstance(given, str) else None
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["more"] is not None):
        return None
    if not (found["trace"].strip("0") and found["parent"].strip("0")):
        return None
    flags = found["flags"] if found["version"] == "00" else f"{int(found['flags'], 16) & 1:02x}"
    return f"00-{found['trace']}-{found['parent']}-{flags}"


def trace_id_of(traceparent: Any) -> str | None:
    """The id of the trace, 32 hexadecimal digits, in what `read_traceparent` gave."""
    return traceparent[3:35] if isinstance(traceparent, str) and len(traceparent) == 55 else None
