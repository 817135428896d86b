"""The actors of work.py, in a process whose clock is wrong by SKEW_SECONDS."""

import os
import time

SKEW = int(os.environ["SKEW_SECONDS"])
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + SKEW
time.time_ns = lambda: _time_ns() + SKEW * 10**9

from work import *  # type: ignore[import-not-found] # noqa: E402, F403 - found in the folder the command runs in
