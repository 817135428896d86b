"""The actors of work.py, in a process whose clock is an hour ahead."""

import time

HOUR = 3600
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + HOUR
time.time_ns = lambda: _time_ns() + HOUR * 10**9

from work import *  # type: ignore[import-not-found] # noqa: E402, F403 - found in the folder the command runs in
