"""Requests that wait: for the end of a job, or for as long as a stream lasts.

Each of them holds a thread of the server. So there is one limit for all of them, which leaves the other threads to
requests that are answered at once; and all of them end when the process stops, because the server waits for them.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..broker.broker import JobBroker
from ..jobs.errors import StoreUnavailable, TooManyWaiting
from ..settings import Settings
from ..store import Job


class Waiting:
    """The waiting requests of one process.

    Args:
        broker: whose jobs are waited for.
        settings: how many requests may wait.

    Attributes:
        most: requests that may wait.
        is_over: the process stops.
    """

    def __init__(self, broker: JobBroker, settings: Settings) -> None:
        self._reads = broker.reads
        self.watcher = broker.reads.watcher
        self.most = settings.most_waiting
        self._lock = threading.Lock()
        self._taken = 0
        self.is_over = False

    @contextmanager
    def seat(self) -> Iterator[None]:
        """One place among those that may wait.

        Raises:
            TooManyWaiting: all are taken, or the process stops.
        """
        with self._lock:
            if self.is_over:
                raise TooManyWaiting("This process stops. Another one will answer.")
            if self._taken >= self.most:
                raise TooManyWaiting(
                    f"{self._taken} requests wait or stream already, as many as may (half of JOBS_HTTP_THREADS)."
                )
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1

    def until_final(self, id: str, seconds: int) -> Job | None:
        """The job once it has ended, or as it stands when the time is up. Woken, not polled.

        Returns:
            None when it was not waited for: there is no seat, no job (any more), the process stops or Redis is away.
            Whoever asked is answered without.
        """
        try:
            with self.seat():
                job = self._reads.wait_until_final(id, seconds)
        except (StoreUnavailable, TooManyWaiting):
            return None
        return None if self.is_over and job and not job.is_final else job

    def stop(self) -> None:
        """End all waiting, and let nobody wait any more."""
        with self._lock:
            self.is_over = True
        self.watcher.stop()
