"""The actors of work.py, in a process that takes a second to report its boot."""

import time
from multiprocessing.synchronize import Event

from work import *  # type: ignore[import-not-found] # noqa: F403 - found in the folder the command runs in

report = Event.set


def late(event: Event) -> None:
    """As on a machine that is busy just then."""
    time.sleep(1)
    report(event)


Event.set = late  # type: ignore[assignment,method-assign]
