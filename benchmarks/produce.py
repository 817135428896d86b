"""Sends the jobs; runs in a contestant's own environment: python -m benchmarks.produce MODULE TASK WORDS...

Prints one line of JSON: what it measured.
"""

import importlib
import inspect
import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .jobs import STAMP, STAMPS_VARIABLE

HOUR_MS = 3_600_000
ANSWER_SECONDS = 30.0
LOOK_SECONDS = 0.002
CHUNK = 10_000


def fill(peer: Any, job: str, count: str, arg: str) -> dict[str, float]:
    """Send many jobs of a kind, with the same argument."""
    for some in _chunks(int(count)):
        peer.send_many(job, [(int(arg),)] * some)
    return {}


def spread(peer: Any, job: str, count: str, arg: str) -> dict[str, float]:
    """The same, over several queues and priorities."""
    for some in _chunks(int(count)):
        peer.send_spread(job, [(int(arg),)] * some)
    return {}


def urgent(peer: Any, count: str, least_pause: str, most_pause: str) -> dict[str, float]:
    """Send a job that is to run before all others, now and then, and see that they have all started."""
    path, wanted = Path(os.environ[STAMPS_VARIABLE]), int(count)
    for _ in range(wanted):
        time.sleep(random.uniform(float(least_pause), float(most_pause)))
        peer.send_urgent("stamp", time.monotonic_ns())
    give_up = time.monotonic() + ANSWER_SECONDS
    while sum(1 for at, _ in STAMP.iter_unpack(path.read_bytes()) if at) < wanted:
        if time.monotonic() > give_up:
            raise TimeoutError(f"not all started within {ANSWER_SECONDS:g} s")
        time.sleep(LOOK_SECONDS)
    return {}


def one_by_one(peer: Any, count: str, payload: str) -> dict[str, float]:
    """Send jobs one by one, as a program does that has one at a time."""
    many, text = int(count), "x" * int(payload)

    def run() -> None:
        for _ in range(many):
            peer.send("nothing", text)

    return _measured(peer, many, run)


def in_bulk(peer: Any, count: str, payload: str) -> dict[str, float]:
    """Send jobs that are all there already."""
    rows = [("x" * int(payload),)] * int(count)
    return _measured(peer, len(rows), lambda: peer.send_many("nothing", rows))


def one_at_a_time(peer: Any, count: str, least_pause: str, most_pause: str) -> dict[str, float]:
    """Send a job, wait until it has started, pause for a random time, and again: the worker is idle."""
    path = Path(os.environ[STAMPS_VARIABLE])
    before = path.stat().st_size if path.exists() else 0
    for number in range(int(count)):
        time.sleep(random.uniform(float(least_pause), float(most_pause)))
        peer.send("stamp", time.monotonic_ns())
        give_up = time.monotonic() + ANSWER_SECONDS
        while not path.exists() or path.stat().st_size < before + (number + 1) * STAMP.size:
            if time.monotonic() > give_up:
                raise TimeoutError(f"job {number} did not start within {ANSWER_SECONDS:g} s")
            time.sleep(LOOK_SECONDS)
    return {}


def far(peer: Any, count: str) -> dict[str, float]:
    """Send jobs that are due in an hour."""
    if "delay_ms" in inspect.signature(peer.send_many).parameters:
        for some in _chunks(int(count)):
            peer.send_many("nothing", [("",)] * some, delay_ms=HOUR_MS)
    else:
        for _ in range(int(count)):
            peer.send_later("nothing", HOUR_MS, "")
    return {}


def near(peer: Any, count: str, first_s: str, last_s: str) -> dict[str, float]:
    """Send jobs that are due at random instants between `first_s` and `last_s` from now."""
    for _ in range(int(count)):
        delay_ms = round(random.uniform(float(first_s), float(last_s)) * 1000)
        peer.send_later("stamp", delay_ms, time.monotonic_ns() + delay_ms * 1_000_000)
    return {}


def _chunks(count: int) -> list[int]:
    return [min(CHUNK, count - at) for at in range(0, count, CHUNK)]


def _measured(peer: Any, count: int, run: Callable[[], None]) -> dict[str, float]:
    peer.send("nothing", "")  # opens the connection, loads the scripts
    begin, cpu = time.perf_counter(), time.process_time()
    run()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return {"per_second": count / seconds, "cpu_us": cpu / count * 1e6}


TASKS: dict[str, Callable[..., dict[str, float]]] = {
    task.__name__: task for task in (fill, spread, urgent, one_by_one, in_bulk, one_at_a_time, far, near)
}

if __name__ == "__main__":
    module, name, *words = sys.argv[1:]
    print(json.dumps(TASKS[name](importlib.import_module(module), *words)))
