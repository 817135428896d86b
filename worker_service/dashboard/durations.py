"""Durations as people type them: ``90s``, ``15m``, ``1h 30m``, ``2d``."""

import re

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_PART = r"(\d{1,15})\s*(ms|d|h|m|s)"
_WHOLE = re.compile(rf"\s*{_PART}(?:\s*{_PART})*\s*")


def read_duration(text: str) -> int:
    """In milliseconds.

    Raises:
        ValueError: it is none.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError("use numbers with a unit, such as 90s, 15m, 1h 30m or 2d")
    return sum(int(number) * _UNITS_MS[unit] for number, unit in re.findall(_PART, text))


def typed_duration(ms: int) -> str:
    """The text that is read as exactly this."""
    parts = []
    for unit, unit_ms in _UNITS_MS.items():
        count, ms = divmod(ms, unit_ms)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
