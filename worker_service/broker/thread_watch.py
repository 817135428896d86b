"""Notices that a worker thread has died, and lets the process drain: a supervisor starts it anew, whole.

No interrupt of ours can end a thread (see interrupts), but other code in the process may. A process that went on
would hold a job nobody runs, and claim for a thread that does not exist.
"""

import os
import signal
import threading

import dramatiq
from dramatiq.logging import get_logger

from .signs import Sign, Signs

LOOK_SECONDS = 1.0


class ThreadWatch:
    """Args:
    worker: whose threads are watched.
    signs: told that Python code runs.
    """

    def __init__(self, worker: dramatiq.Worker, signs: Signs) -> None:
        self._logger = get_logger(__name__, type(self))
        self._worker = worker
        self._signs = signs
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="thread-watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the watch; from now on threads may end."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            self._signs.add(Sign.BEATS)
            if any(thread.ident is not None and not thread.is_alive() for thread in self._worker.workers):
                self._logger.critical(
                    "A worker thread has died; this process finishes what it holds and ends."
                )
                os.kill(os.getpid(), signal.SIGTERM)
                return
