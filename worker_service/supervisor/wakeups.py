"""What wakes the supervisor's loop: signals, and requests of other threads, as bytes on one pipe."""

import contextlib
import os
import select
import signal
import threading
from typing import Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RESTART = 0
"""A request; the numbers of signals begin at 1."""


class Wakeups:
    """While it is entered, signals only wake: the handlers do nothing, so that no lock can be in their way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writer: int | None = None

    def __enter__(self) -> Self:
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(writer, False)
        self._writer = writer
        numbers = (*STOP_SIGNALS, signal.SIGCHLD)
        self._handlers_before = {number: signal.signal(number, lambda *_: None) for number in numbers}
        self._fd_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)
        with self._lock:
            assert self._writer is not None
            os.close(self._writer)
            os.close(self._reader)
            self._writer = None

    def wait(self, seconds: float) -> int | None:
        """The next signal's number or request; None when there was none within so many seconds."""
        ready, _, _ = select.select([self._reader], [], [], seconds)
        return os.read(self._reader, 1)[0] if ready else None

    def ask(self, request: int) -> None:
        """Wake the loop with a request, from any thread; without a loop it is lost."""
        with self._lock:
            if self._writer is not None:
                with contextlib.suppress(BlockingIOError):  # a full pipe wakes too
                    os.write(self._writer, bytes([request]))
