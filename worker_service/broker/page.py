"""A page of memory that a worker writes and its keeper reads: what has started, until when it may run, signs of life.

It outlives a SIGKILL of the worker, and a write is a few bytes of memory: no system call, no moment at which
another thread takes the interpreter lock.
"""

import mmap
import struct
import tempfile
from typing import NamedTuple

_SLOTS = 8192
_SLOT = struct.Struct("<BBd64s")
_NUMBERS = struct.Struct("<16Q")
"""How many slots are used, how often one changed, and the signs of life."""
_USED, _MOVES, _SIGNS = 0, 8, 16
_BYTES = _NUMBERS.size + _SLOTS * _SLOT.size


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
        self._moved = 0

    def begin(self, thread: int, id: str, deadline: float) -> None:
        """Note that a thread starts a job. The flag is written last, so that a slot is never read half."""
        offset = self._offset(thread)
        name = id.encode()[:64]
        _SLOT.pack_into(self._memory, offset, 0, len(name), deadline, name)
        self._memory[offset] = 1
        self._move()

    def end(self, thread: int) -> None:
        """Note that the thread's job has ended."""
        self._memory[self._offset(thread)] = 0
        self._move()

    def started(self) -> list[Started]:
        """The jobs that have started and not ended."""
        used = self._number(_USED)
        found = []
        for slot in range(used):
            busy, length, deadline, name = _SLOT.unpack_from(self._memory, _NUMBERS.size + slot * _SLOT.size)
            if busy:
                found.append(Started(name[:length].decode(), deadline))
        return found

    def moves(self) -> int:
        """How often a job has started or ended so far."""
        return self._number(_MOVES)

    def note(self, sign: int, value: int) -> None:
        """Set a sign of life; see `signs`."""
        self._set(_SIGNS + 8 * sign, value)

    def noted(self, sign: int) -> int:
        """What was noted last; 0 at first."""
        return self._number(_SIGNS + 8 * sign)

    def _offset(self, thread: int) -> int:
        slot = self._slots.get(thread)
        if slot is None:
            slot = self._slots[thread] = len(self._slots) % _SLOTS
            self._set(_USED, min(len(self._slots), _SLOTS))
        return _NUMBERS.size + slot * _SLOT.size

    def _move(self) -> None:
        self._moved += 1
        self._set(_MOVES, self._moved)

    def _set(self, offset: int, value: int) -> None:
        struct.pack_into("<Q", self._memory, offset, value)

    def _number(self, offset: int) -> int:
        return int(struct.unpack_from("<Q", self._memory, offset)[0])
