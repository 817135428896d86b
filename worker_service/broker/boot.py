"""When a worker process may begin to take jobs.

Dramatiq's command waits for each of its processes to report that it has booted, and waits 30 s for one that dies
before: a first job that kills its process would hold up the restart by that. The report is made just after the last
hook, so it is looked for where multiprocessing keeps the arguments of the process.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event

LOOK_SECONDS = 0.005
LONGEST_SECONDS = 5.0


def once_booted(do: Callable[[], None]) -> None:
    """Call ``do`` when this process has reported its boot; at once in a process that reports to nobody."""
    report = _report()
    if report is None:
        do()
    else:
        threading.Thread(target=_wait, args=(report, do), name="boot", daemon=True).start()


def _report() -> Event | None:
    arguments = getattr(multiprocessing.current_process(), "_args", ())
    return next((each for each in arguments if isinstance(each, Event)), None)


def _wait(report: Event, do: Callable[[], None]) -> None:
    # Looks, and does not wait for it: under gevent a wait would hold the greenlet that is to make the report.
    give_up_at = time.monotonic() + LONGEST_SECONDS
    while not report.is_set() and time.monotonic() < give_up_at:
        time.sleep(LOOK_SECONDS)
    do()
