"""How long a job waits before its next attempt."""

import random

BASE_MS = 1_000
CAP_MS = 600_000

CRASH_WAITS_MS = (500, 10_000)
"""Before redelivery after the first crash, and after each later one."""


def full_jitter(attempts: int, base_ms: int = BASE_MS, cap_ms: int = CAP_MS) -> int:
    """Milliseconds to wait after ``attempts`` failed attempts (>= 1): uniform between 0 and base * 2^(n-1), capped.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
    """
    ceiling = min(cap_ms, base_ms * 2 ** min(attempts - 1, 40))
    return random.randint(0, ceiling)
