"""How long a job waits before its next attempt."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from .errors import InvalidJob

CENTURY_MS = 100 * 365 * 24 * 3600 * 1000
"""No job waits longer than this."""

BASE_MS = 1_000
CAP_MS = 600_000

CRASH_WAITS_MS = (500, 10_000)
"""Before redelivery after the first crash, and after each later one."""

SNOOZES_LIMIT = 100
SNOOZED_LIMIT_MS = 24 * 3600 * 1000
"""What goes beyond either of these, counted over the whole life of a job, uses up an attempt."""

Schedule = int | timedelta | Sequence[int | timedelta]
"""One wait for all, or one for each attempt (the last stands for all that follow)."""


def full_jitter(attempts: int, base_ms: int = BASE_MS, cap_ms: int = CAP_MS, floor_ms: int = 0) -> int:
    """Milliseconds to wait after ``attempts`` failed attempts (>= 1): uniform up to base * 2^(n-1), capped.

    Args:
        floor_ms: it is never shorter than this.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
    """
    ceiling = min(cap_ms, base_ms * 2 ** min(attempts - 1, 40))
    return random.randint(min(floor_ms, ceiling), ceiling) if ceiling > floor_ms else floor_ms


def scheduled_wait(attempts: int, schedule: Schedule) -> int:
    """Milliseconds to wait after ``attempts`` failed attempts (>= 1), exactly as the schedule says."""
    if isinstance(schedule, (int, timedelta)):
        return _ms(schedule)
    return _ms(schedule[min(attempts, len(schedule)) - 1])


def check_schedule(value: Any, name: str = "backoff", *, may_be_list: bool = True) -> None:
    """Refuse what is no `Schedule`.

    Args:
        name: of the option, for the error.
        may_be_list: whether a wait per attempt is one.

    Raises:
        InvalidJob: it is none.
    """
    waits = value if may_be_list and isinstance(value, (list, tuple)) else [value]
    if not waits or not all(_is_wait(wait) for wait in waits):
        lists = ", or a list of them" if may_be_list else ""
        raise InvalidJob(f"{name}={value!r}: use milliseconds or a timedelta{lists}", code="bad_backoff")


def _is_wait(value: Any) -> bool:
    return (
        isinstance(value, (int, timedelta)) and not isinstance(value, bool) and 0 <= _ms(value) <= CENTURY_MS
    )


def _ms(wait: int | timedelta) -> int:
    return int(wait.total_seconds() * 1000) if isinstance(wait, timedelta) else wait
