"""Actors for the tests with real worker processes."""

import asyncio
import ctypes
import os
import threading
import time
from pathlib import Path
from urllib.request import urlopen

from sink import tell  # type: ignore[import-not-found] # found in the folder the command runs in

from worker_service import actor, current_job, once

SINK = os.environ.get("EFFECTS_SINK", "")


def effect(word: str, name: str) -> None:
    """Do something to the world; it is done when the sink, a process that no test kills, has written it down."""
    tell(SINK, word, name)


@actor
def hold(name: str, seconds: float) -> str:
    """Start, wait, end."""
    effect("start", name)
    time.sleep(seconds)
    effect("end", name)
    return name


@actor(min_backoff=10, max_backoff=50)
def quick(name: str) -> str:
    """As good as nothing."""
    effect("end", name)
    return name


@actor(fail_on=ValueError)
def pay(name: str) -> str:
    """Has a bug until somebody mends it, which in this test is a file."""
    if not Path(os.environ["MENDED"]).exists():
        effect("failed", name)
        raise ValueError("no such account")
    effect("paid", name)
    return name


@actor(min_backoff=10, max_backoff=50)
def falter(name: str) -> str:
    """Fail the first time."""
    if current_job().attempt == 1:
        raise RuntimeError(name)
    effect("end", name)
    return name


@actor
def hold_interpreter(name: str, seconds: int) -> str:
    """Sleep in C code without releasing the interpreter lock: no other thread of the process runs."""
    effect("start", name)
    ctypes.PyDLL(None).sleep(seconds)
    effect("end", name)
    return name


@actor
def report(name: str) -> str:
    """Says how far it is."""
    current_job().progress(50, "half")
    current_job().log("half of it is done")
    effect("end", name)
    return name


@actor(min_backoff=10, max_backoff=50)
def charge_once(name: str) -> str:
    """Has a step that must happen once."""
    with once("charge", on_unknown="retry") as step:
        if not step.is_done:
            effect("end", name)
            step.result = name
    return str(step.result)


@actor
def die_once(name: str) -> str:
    """Do the work, and take the process along before anybody hears of it; only the first time."""
    effect("end", name)
    if current_job().token.endswith(":1"):
        os.kill(os.getpid(), 9)
    return name


@actor(max_crashes=3)
def die(name: str) -> None:
    """Take the whole process along."""
    effect("start", name)
    os.kill(os.getpid(), 9)


@actor
async def wait_async(name: str, seconds: float) -> str:
    """An async actor."""
    effect("start", name)
    await asyncio.sleep(seconds)
    effect("end", name)
    return name


@actor
def ask(url: str) -> int:
    """Wait for an answer over HTTP, by the standard library, which knows nothing of greenlets."""
    with urlopen(url, timeout=30) as answer:
        return int(answer.status)


@actor
def know_itself(name: str, seconds: float) -> list[str]:
    """Which job this is, before and after others had their turn."""
    before = current_job().id
    time.sleep(seconds)
    return [before, current_job().id]


@actor(time_limit=500, max_attempts=1)
def stuck_in_c(name: str) -> None:
    """Blocks where no interrupt reaches it."""
    effect("start", name)
    ctypes.CDLL(None).sleep(600)


@actor(time_limit=500, max_attempts=1)
def hold_limited(name: str, seconds: float) -> None:
    """Waits longer than it may."""
    effect("start", name)
    time.sleep(seconds)


@actor
def lose_thread(name: str) -> None:
    """Have other code end this thread when the job is over."""
    effect("start", name)
    ident = ctypes.c_ulong(threading.get_ident())

    def end_it() -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(SystemExit))

    threading.Timer(0.3, end_it).start()


@actor
def exit_at_once(name: str) -> None:
    """End the process before anything else has happened in it."""
    effect("start", name)
    os._exit(7)
