"""Instants: RFC 3339 text outside, UTC milliseconds inside."""

import re
from datetime import UTC, datetime

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def to_ms(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 instant, which has a zone.

    Raises:
        ValueError: it has another form, or lies before 1970.
    """
    if not _RFC_3339.fullmatch(text):
        raise ValueError("Use an instant with its zone, as in 2030-01-31T12:00:00Z (RFC 3339).")
    try:
        seconds = datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(f"There is no such instant: {error}.") from None
    if seconds < 0:
        raise ValueError("The instant lies before 1970.")
    return int(seconds * 1000 + 0.5)


def to_text(ms: int | None) -> str | None:
    """The instant in UTC with milliseconds: ``2030-01-31T12:00:00.000Z``; None for what is none (a damaged record)."""
    if ms is None:
        return None
    try:
        instant = datetime.fromtimestamp(ms // 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return f"{instant.isoformat()[:19]}.{ms % 1000:03d}Z"
