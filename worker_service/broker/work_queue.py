"""Where claimed jobs wait for a thread of the worker, in the order of their claims: in place of Dramatiq's priority
queue, and of the way there.

Dramatiq moves each message by a thread of its queue into a `queue.PriorityQueue`, which is made of Python and wakes by
a condition. Measured, that was two thirds of what a worker process computed for jobs that do nothing.

No `queue.SimpleQueue`: in Python 3.11 its ``get`` with a timeout may wait for ever where several threads take from it.
"""

from collections import deque
from contextlib import suppress
from queue import Empty
from threading import Lock
from time import monotonic, sleep
from typing import Any

JOIN_LOOK_SECONDS = 0.01


class WorkQueue:
    """What Dramatiq's worker asks of its ``work_queue``. An item has the message as ``message``, as a `JobProxy` has.

    Appending to a deque and popping from it are atomic. A thread that finds nothing waits for a lock of its own, and
    whoever puts an item there releases the lock of the thread that began to wait last.
    """

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._idle: deque[Lock] = deque()
        self._unfinished: deque[None] = deque()

    @property
    def unfinished_tasks(self) -> int:
        """How many wait or run."""
        return len(self._unfinished)

    def qsize(self) -> int:
        """How many wait."""
        return len(self._items)

    def put(self, item: Any) -> None:
        """A thread takes it."""
        self._unfinished.append(None)
        self._items.append(item)
        if self._idle:  # else all run, and the first that is free looks here
            with suppress(IndexError):
                self._idle.pop().release()

    def get(self, timeout: float) -> Any:
        """Wait for an item, for some seconds.

        Raises:
            queue.Empty: there was none.
        """
        give_up_at = 0.0
        while True:
            try:
                return self._items.popleft()
            except IndexError:
                now = monotonic()
                give_up_at = give_up_at or now + timeout
                if now >= give_up_at:
                    raise Empty from None
            self._wait(give_up_at - now)

    def _wait(self, seconds: float) -> None:
        wake = Lock()
        wake.acquire()
        self._idle.append(wake)
        if self._items or not wake.acquire(timeout=seconds):  # one may have come before we stood in line
            with suppress(ValueError):  # somebody has just woken us, for an item that we look for next
                self._idle.remove(wake)

    def get_nowait(self) -> Any:
        """Take one back that no thread has begun.

        Raises:
            queue.Empty: none waits.
        """
        try:
            item = self._items.popleft()
        except IndexError:
            raise Empty from None
        self.task_done()
        return item

    def task_done(self) -> None:
        """One has run."""
        self._unfinished.pop()

    def join(self) -> None:
        """Wait until none waits or runs; `dramatiq.Worker.join` is for tests."""
        while self._unfinished:
            sleep(JOIN_LOOK_SECONDS)
