"""Numbers and instants as people read them; filters of the templates."""

import re
from datetime import UTC, datetime

from markupsafe import Markup

from ..jobs import instants

MOST_CHARACTERS = 160

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_LAST_MS = 253_402_300_799_000  # the end of the year 9999; a damaged record may say more


def ms(text: str | None) -> int | None:
    """An instant of the HTTP interface in milliseconds; None for none."""
    return None if text is None else instants.to_ms(text)


def utc_ms(text: str) -> int:
    """An instant that a person has typed, in UTC if it names no zone.

    Raises:
        ValueError: it is none.
    """
    found = datetime.fromisoformat(text.strip())
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def rfc_3339(ms: int) -> str:
    """For ``<time datetime>``: UTC with milliseconds."""
    return _utc(ms).isoformat(timespec="milliseconds")


def clock(ms: int) -> str:
    """Date and time of day in UTC, to the second."""
    return f"{_utc(ms):%Y-%m-%d %H:%M:%S}"


def local_clock(text: str) -> str:
    """An instant with an offset, as clocks show it, and the offset: ``2030-01-31 12:00:00 +01:00``."""
    return f"{text[:10]} {text[11:19]} {text[-6:] if text[-6:-5] in '+-' else ''}".rstrip()


def with_clocks(text: str) -> str:
    """A sentence of the HTTP interface with its instants as clocks show them, in UTC as all times of the pages."""
    return _INSTANT.sub(r"\1 \2", text)


def prose(text: str) -> Markup:
    """A docstring with what stands between double backticks as code."""
    parts = [
        Markup("<code>{}</code>" if place % 2 else "{}").format(part)
        for place, part in enumerate(text.split("``"))
    ]
    return Markup().join(parts)


def size(bytes: float) -> str:  # noqa: A002
    """Bytes in at most four characters and a unit."""
    for unit in ("B", "KiB", "MiB"):
        if bytes < 1024:
            return f"{bytes:.0f} {unit}" if unit == "B" or bytes >= 100 else f"{bytes:.1f} {unit}"
        bytes /= 1024  # noqa: A001
    return f"{bytes:.1f} GiB"


def number(value: float) -> str:
    """With a comma between thousands."""
    return f"{value:,}"


def first_line(text: str) -> str:
    """The first line that says something, shortened."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def _utc(ms: int) -> datetime:
    return datetime.fromtimestamp(min(max(ms, 0), _LAST_MS) / 1000, UTC)
