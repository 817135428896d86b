"""Ends a worker process in order once it has done its share, so that a supervisor starts a fresh one: code that leaks
memory, or keeps stale connections, does so for a bounded time only.

The processes of one supervisor take turns: who has the lock on its file ends, and the lock goes with the process,
however it ends. Each process has limits of its own, up to a tenth lower, so that not all ask at once.
"""

import fcntl
import os
import random
import resource
import signal
import threading
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from time import monotonic

from dramatiq.logging import get_logger

from ..settings import Settings

LOOK_SECONDS = 0.5
SPREAD = 0.1
MIB = 1024 * 1024
TURN_FILE = "WORKER_SERVICE_TURN_FILE"
"""Names, in the environment of a supervisor's processes, the file that they take turns with."""

_STATM = Path("/proc/self/statm")


class Recycling:
    """What this process may do, and what it did.

    Args:
        settings: has the limits; without any this does nothing.
        environment: of this process.
    """

    def __init__(self, settings: Settings, environment: Mapping[str, str] = os.environ) -> None:
        self._logger = get_logger(__name__, type(self))
        share = 1 - random.uniform(0, SPREAD)
        self._most_jobs = _part(settings.worker_max_jobs, share)
        self._most_bytes = _part(settings.worker_max_memory_mb, 1) * MIB
        self._most_seconds = _part(settings.worker_max_age_ms, share) / 1000
        self._turn_file = environment.get(TURN_FILE)
        self._turn: int | None = None
        self._numbers = count(1)
        self._jobs = 0
        self._began_at = monotonic()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to look, when there is a limit."""
        if min(self._most_jobs, self._most_bytes, self._most_seconds) < float("inf"):
            threading.Thread(target=self._watch, name="recycling", daemon=True).start()

    def stop(self) -> None:
        """The process is about to end anyway."""
        self._stopped.set()

    def count_job(self) -> None:
        """One more has ended; on any thread."""
        self._jobs = next(self._numbers)

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            reason = self._reason()
            if reason and self._is_our_turn():
                self._logger.info("This worker process %s; it finishes what it holds and ends.", reason)
                os.kill(os.getpid(), signal.SIGTERM)
                return

    def _reason(self) -> str:
        if self._jobs >= self._most_jobs:
            return f"has done {self._jobs} jobs"
        if monotonic() - self._began_at >= self._most_seconds:
            return f"is {monotonic() - self._began_at:.0f} s old"
        if self._most_bytes < float("inf") and (held := _resident_bytes()) >= self._most_bytes:
            return f"holds {held / MIB:.0f} MiB"
        return ""

    def _is_our_turn(self) -> bool:
        """Whether no other process of the supervisor is about to end."""
        if self._turn_file is None:
            return True
        try:
            if self._turn is None:
                self._turn = os.open(self._turn_file, os.O_RDONLY)  # until the process ends
            fcntl.flock(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            self._logger.warning("Not taking turns with other worker processes: %s", error)
        return True


def _part(limit: int | None, share: float) -> float:
    return float("inf") if limit is None else limit * share


def _resident_bytes() -> int:
    """What the process holds now, or where the system does not tell, the most it ever held."""
    try:
        return int(_STATM.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
