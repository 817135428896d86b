"""Waiting for a condition with a deadline; tests never just sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], timeout: float = 10.0, message: str = "the condition did not come true"
) -> T:
    """Call the condition until it returns something true, and return that.

    Arguments:
        condition: called every few milliseconds; its exceptions pass through.
        timeout: seconds until the wait fails.
        message: what to say then.

    Raises:
        AssertionError: it was still not true when the time was up; shows its last value.
    """
    end = time.monotonic() + timeout
    pause = 0.001
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{message} (waited {timeout:g} s, last value: {value!r})")
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
    return value
