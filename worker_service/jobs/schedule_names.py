"""What schedules may be called; apart from what they say, which needs pydantic: keepers read names, and stay small."""

import re

from .errors import InvalidSchedule

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def is_name(name: str) -> bool:
    """Whether a schedule may have this name."""
    return _NAME.fullmatch(name) is not None


def check_name(name: str) -> str:
    """The name of a schedule.

    Raises:
        InvalidSchedule: it has another form.
    """
    if not is_name(name):
        raise InvalidSchedule(
            f"Name {name[:80]!r}: use 1 to 64 letters, digits, '_', '-' and '.'",
            pointer="/name",
            code="bad_name",
        )
    return name
