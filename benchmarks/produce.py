"""Sends the jobs; runs in a contestant's own environment: python -m benchmarks.produce MODULE TASK NUMBERS...

Prints one line of JSON: what it measured.
"""

import importlib
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from .jobs import STAMP, STAMPS_VARIABLE

HOUR_MS = 3_600_000
ANSWER_SECONDS = 30.0
LOOK_SECONDS = 0.002


def enqueue(actors: Any, count: float, payload: float = 0) -> dict[str, float]:
    """Send jobs one by one, as a program does that has one at a time."""
    text = "x" * int(payload)
    actors.nothing.send(text)  # opens the connection, loads the scripts
    begin, cpu = time.perf_counter(), time.process_time()
    for _ in range(int(count) - 1):
        actors.nothing.send(text)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return {"per_second": (count - 1) / seconds, "cpu_us": cpu / count * 1e6}


def stamps(actors: Any, count: float) -> dict[str, float]:
    """Send jobs that note their start, all at once."""
    for _ in range(int(count)):
        actors.stamp.send(time.monotonic_ns())
    return {}


def one_at_a_time(actors: Any, count: float, least_pause: float, most_pause: float) -> dict[str, float]:
    """Send a job, wait until it has started, pause for a random time, and again: the worker is idle."""
    path = Path(os.environ[STAMPS_VARIABLE])
    for number in range(int(count)):
        time.sleep(random.uniform(least_pause, most_pause))
        actors.stamp.send(time.monotonic_ns())
        give_up = time.monotonic() + ANSWER_SECONDS
        while not path.exists() or path.stat().st_size < (number + 1) * STAMP.size:
            if time.monotonic() > give_up:
                raise TimeoutError(f"job {number} did not start within {ANSWER_SECONDS:g} s")
            time.sleep(LOOK_SECONDS)
    return {}


def far(actors: Any, count: float) -> dict[str, float]:
    """Send jobs that are due in an hour."""
    for _ in range(int(count)):
        actors.nothing.send_with_options(delay=HOUR_MS)
    return {}


def near(actors: Any, count: float, first_s: float, last_s: float) -> dict[str, float]:
    """Send jobs that are due at random instants between `first_s` and `last_s` from now."""
    for _ in range(int(count)):
        delay_ms = round(random.uniform(first_s, last_s) * 1000)
        wanted_ns = time.monotonic_ns() + delay_ms * 1_000_000
        actors.stamp.send_with_options(args=(wanted_ns,), delay=delay_ms)
    return {}


TASKS = {task.__name__: task for task in (enqueue, stamps, one_at_a_time, far, near)}

if __name__ == "__main__":
    module, name, *numbers = sys.argv[1:]
    print(json.dumps(TASKS[name](importlib.import_module(module), *map(float, numbers))))
