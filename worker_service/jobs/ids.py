"""Ids of new jobs."""

import os
import time
import uuid


def new_job_id() -> str:
    """A UUID version 7: milliseconds since 1970, then 74 random bits, so ids sort by their creation.

    Source: RFC 9562, section 5.7. The standard library has it from Python 3.14 on.
    """
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return str(uuid.UUID(int=value))
