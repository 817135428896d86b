"""Writes the lines that are many together, so that not each of them costs a system call and a wait for a lock."""

import logging
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.util import Finalize
from queue import Empty, SimpleQueue
from select import PIPE_BUF
from time import sleep
from typing import TextIO

OFTEN = frozenset({"worker_service.jobs", "worker_service.requests"})
"""Loggers with a line for each job, or each request."""

GATHER_SECONDS = 0.005


class GatheringHandler(logging.StreamHandler[TextIO]):
    """Lines of `OFTEN` up to INFO are written by a thread, some milliseconds later; all others at once, behind those.

    So the last line of an actor whose process is killed is in the log; what may be missing is that other jobs, or
    requests, ended within the last milliseconds.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._begin()
        os.register_at_fork(after_in_child=self._begin)
        # Not atexit alone: a worker process is a multiprocessing child, which does not run it.
        Finalize(None, self._write_what_is_left, exitpriority=0)

    def _begin(self) -> None:
        """In a process of its own: no lines, no thread and nobody's lock from before a fork."""
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._is_awake = False
        self._writing = threading.RLock()
        self._thread: threading.Thread | None = None

    def handle(self, record: logging.LogRecord) -> bool:
        """As any handler, but without a lock while the line is made: all threads of a process would wait for it."""
        is_wanted = self.filter(record)
        if is_wanted:
            self.emit(record)
        return bool(is_wanted)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put(self.format(record) + self.terminator)
            if record.levelno <= logging.INFO and record.name in OFTEN:
                self._write_soon()
            else:
                self.flush()
        except Exception:  # noqa: BLE001 - as all handlers
            self.handleError(record)

    def flush(self) -> None:
        """Write what there is."""
        with self._writing:
            for piece in _pieces(_taken(self._lines)):
                self.stream.write(piece)
            super().flush()

    def _write_soon(self) -> None:
        if self._is_awake:
            return
        self._is_awake = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_on, name="log", daemon=True)
            self._thread.start()
        self._wake.put(None)

    def _write_on(self) -> None:
        while True:
            self._wake.get()
            sleep(GATHER_SECONDS)
            self._is_awake = False
            self._write_what_is_left()

    def _write_what_is_left(self) -> None:
        with suppress(Exception):  # a log that cannot be written is no job's affair
            self.flush()


def _taken(lines: SimpleQueue[str]) -> Iterator[str]:
    with suppress(Empty):
        while True:
            yield lines.get_nowait()


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """Lines joined, as long as a pipe takes them whole, whoever else writes to it."""
    piece, size = "", 0
    for line in lines:
        length = len(line.encode(errors="replace"))
        if piece and size + length > PIPE_BUF:
            yield piece
            piece, size = "", 0
        piece, size = piece + line, size + length
    if piece:
        yield piece
