"""A page of memory that a worker writes and its keeper reads: which jobs have started, and their deadlines.

It outlives a SIGKILL of the worker, and a write is a few bytes of memory: no system call, no moment at which
another thread takes the interpreter lock.
"""

import mmap
import struct
import tempfile
from typing import NamedTuple

_SLOTS = 8192
_SLOT = struct.Struct("<BBd64s")
_BYTES = 8 + _SLOTS * _SLOT.size


class Started(NamedTuple):
    """A job whose function runs; ``deadline`` is on the system's monotonic clock, in seconds."""

    id: str
    deadline: float


class Page:
    """One slot per worker thread, of at most 8,192.

    Args:
        fd: of a page made by another process; by default a new one, backed by an unlinked temporary file.
    """

    def __init__(self, fd: int | None = None) -> None:
        if fd is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the page
            self._file.truncate(_BYTES)
            self.fd = self._file.fileno()
        else:
            self.fd = fd
        self._memory = mmap.mmap(self.fd, _BYTES)
        self._slots: dict[int, int] = {}

    def begin(self, thread: int, id: str, deadline: float) -> None:
        """Note that a thread starts a job. The flag is written last, so that a slot is never read half."""
        offset = self._offset(thread)
        name = id.encode()[:64]
        _SLOT.pack_into(self._memory, offset, 0, len(name), deadline, name)
        self._memory[offset] = 1

    def end(self, thread: int) -> None:
        """Note that the thread's job has ended."""
        self._memory[self._offset(thread)] = 0

    def started(self) -> list[Started]:
        """The jobs that have started and not ended."""
        (used,) = struct.unpack_from("<Q", self._memory, 0)
        found = []
        for slot in range(used):
            busy, length, deadline, name = _SLOT.unpack_from(self._memory, 8 + slot * _SLOT.size)
            if busy:
                found.append(Started(name[:length].decode(), deadline))
        return found

    def _offset(self, thread: int) -> int:
        slot = self._slots.get(thread)
        if slot is None:
            slot = self._slots[thread] = len(self._slots) % _SLOTS
            struct.pack_into("<Q", self._memory, 0, min(len(self._slots), _SLOTS))
        return 8 + slot * _SLOT.size
