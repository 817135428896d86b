"""Intervals of periodic actors: how often they run, aligned to the epoch."""

from datetime import timedelta
from typing import Any

from .errors import InvalidJob

SHORTEST_MS = 100
LONGEST_MS = 366 * 24 * 3600 * 1000


def interval_ms(every: Any) -> int:
    """An interval as a whole number of milliseconds.

    Args:
        every: a timedelta, or an int of milliseconds.

    Raises:
        InvalidJob: it is neither, shorter than 100 ms, longer than 366 days, or has a fraction of a millisecond.
    """
    value = every
    if isinstance(every, timedelta):
        value, rest = divmod(every, timedelta(milliseconds=1))
        value = every if rest else value
    if type(value) is not int or not SHORTEST_MS <= value <= LONGEST_MS:  # a bool is an int, and none here
        raise InvalidJob(
            f"every={every!r}: use a timedelta or a number of milliseconds, whole, from {SHORTEST_MS} ms to 366 days",
            code="out_of_range",
        )
    return value


def tick_before(instant_ms: int, every_ms: int) -> int:
    """The newest tick at an instant: the largest multiple of the interval that is not after it, in UTC ms."""
    return instant_ms // every_ms * every_ms
