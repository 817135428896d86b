"""The actors of work.py, in a process of which a part stops (STUCK) while a file is there (STUCK_FILE)."""

import ctypes
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dramatiq.middleware import Middleware
from work import *  # type: ignore[import-not-found] # noqa: F403 - found in the folder the command runs in

from worker_service import registry
from worker_service.jobs.errors import StoreFull
from worker_service.store import Store

PART, FILE = os.environ.get("STUCK", ""), Path(os.environ["STUCK_FILE"])


def hang() -> None:
    """For as long as the file is there."""
    while FILE.exists():
        time.sleep(0.05)


def before(method: str, do: Callable[[], None]) -> None:
    """Do something else first in each call of the store."""
    inner = getattr(Store, method)

    def changed(store: Store, *args: Any, **fields: Any) -> Any:
        if FILE.exists():
            do()
        return inner(store, *args, **fields)

    setattr(Store, method, changed)


def die() -> None:
    """End the thread, which nothing catches."""
    raise SystemExit


def refuse() -> None:
    """As a server does that has no memory left."""
    raise StoreFull("no memory left")


class Deadlock(Middleware):
    """Each thread waits for the others, outside of any job."""

    def before_process_message(self, _broker: Any, _message: Any) -> None:
        if FILE.exists():
            hang()


def hold_interpreter_outside_of_jobs() -> None:
    """Sleep in C code without letting go of the interpreter lock."""
    while not FILE.exists():
        time.sleep(0.05)
    FILE.write_text("now")
    ctypes.PyDLL(None).sleep(600)


if PART == "claimer":
    before("claim", hang)
elif PART == "dead claimer":
    before("claim", die)
elif PART == "writer":
    before("finish", hang)
elif PART == "server":
    before("claim", refuse)
elif PART == "threads":
    registry.broker().add_middleware(Deadlock())
elif PART == "interpreter":
    threading.Thread(target=hold_interpreter_outside_of_jobs, daemon=True).start()
