"""Signs of life: numbers that a worker process notes on the page it shares with its keeper.

They are counts and no instants. The keeper looks again and again, and by its own clock tells how long one that should
move has not: nothing has to run in the worker for that.
"""

import threading
from enum import IntEnum

from .page import Page


class Sign(IntEnum):
    """What is counted."""

    THREADS = 0
    """Worker threads that jobs are taken for; 0 before the process takes any, and once it takes no more."""
    ROUNDS = 1
    """Claims that were answered, or that the server refused or did not answer."""
    HELD = 2
    """Jobs that were claimed and have not ended."""
    ALONE = 3
    """How many of them keep others from being claimed."""
    ENDED = 4
    """Outcomes handed over to be written."""
    WRITTEN = 5
    """Those that are written, or cannot be."""
    WRITES = 6
    """Attempts to write some, that ended in whichever way."""
    BEATS = 7
    """Looks of a thread that has nothing else to do: they stop when no Python code of the process runs."""


class Signs:
    """What this process tells of itself. Until there is a page, nobody is told."""

    def __init__(self) -> None:
        self._page: Page | None = None
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(Sign, 0)

    def show_on(self, page: Page) -> None:
        """From now on the keeper knows."""
        self._page = page

    def set(self, sign: Sign, value: int) -> None:
        """It is so many; called by one thread at a time."""
        self._counts[sign] = value
        if self._page is not None:
            self._page.note(sign, value)

    def add(self, sign: Sign, number: int = 1) -> None:
        """So many more; on any thread."""
        with self._lock:
            self.set(sign, self._counts[sign] + number)
