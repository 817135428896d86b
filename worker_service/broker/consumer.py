"""What Dramatiq's thread of a queue talks to: takes back how jobs ended, and hands over those of unknown actors."""

from collections.abc import Iterable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import dramatiq

from .proxy import JobProxy

if TYPE_CHECKING:
    from .process import WorkerProcess


class JobConsumer(dramatiq.Consumer):
    """The consumer of one queue. Its lease data lives on the messages: Dramatiq replaces consumers freely.

    Args:
        process: what fetches and records for this worker process.
        queue: its queue.
        timeout_ms: how long to wait for a message before answering None.
    """

    def __init__(self, process: "WorkerProcess", queue: str, timeout_ms: int) -> None:
        self._process = process
        self._queue = queue
        self._timeout = timeout_ms / 1000
        self._inbox: SimpleQueue[JobProxy] | None = None

    def __next__(self) -> JobProxy | None:
        if self._inbox is None:  # not before Dramatiq's thread knows this consumer: jobs end by it
            self._inbox = self._process.claimer.subscribe(self._queue)
        try:
            return self._inbox.get(timeout=self._timeout)
        except Empty:
            return None

    def ack(self, message: dramatiq.MessageProxy) -> None:
        self._process.finished(message)  # type: ignore[arg-type]

    def nack(self, message: dramatiq.MessageProxy) -> None:
        self._process.finished(message)  # type: ignore[arg-type]

    def requeue(self, messages: Iterable[dramatiq.MessageProxy]) -> None:
        self._process.hand_back(messages)  # type: ignore[arg-type]

    def close(self) -> None:
        if self._inbox is not None:
            self._process.hand_back(self._process.claimer.unsubscribe(self._queue, self._inbox))
