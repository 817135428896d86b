"""Ids of new jobs."""

import os
import struct
import time

_MILLISECOND = 1_000_000

_drawn: list[int] = []
"""Random numbers of 64 bits that no id has yet. A call for them hands the interpreter to other threads, and has to wait
until it gets it back: so one call brings many."""
os.register_at_fork(after_in_child=_drawn.clear)


def _random_bits() -> int:
    try:
        return _drawn.pop()
    except IndexError:
        first: int
        first, *others = struct.unpack("<64Q", os.urandom(512))
        _drawn.extend(others)
        return first


def new_job_id() -> str:
    """A UUID version 7: milliseconds since 1970, then the fraction of one, then 62 random bits.

    Ids sort by their creation; with the fraction (a 4,096th) also those that one process makes in one millisecond, by
    which lists order jobs of the same instant.

    Source: RFC 9562, sections 5.7 and 6.2 (method 3). The standard library has one from Python 3.14 on.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), _MILLISECOND)
    fraction = nanoseconds * 4096 // _MILLISECOND
    random = _random_bits() >> 2
    digits = f"{milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
