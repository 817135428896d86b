"""What the jobs do: plain functions, for every contestant in Python; the others do the same in their language."""

import functools
import hashlib
import os
import struct
from time import monotonic_ns, sleep

STAMP = struct.Struct("<qq")
STAMPS_VARIABLE = "BENCH_STAMPS"


def nothing(payload: str = "") -> None:
    """The job that is only sent."""


def stamp(wanted_ns: int) -> None:
    """Append to the file of stamps when this job was wanted and when it started: the job whose cost is all overhead.

    CLOCK_MONOTONIC is one clock for all processes of a machine, and nobody sets it. Sixteen bytes appended in
    one call are cheaper than any report over a socket, and never wait for a reader.
    """
    started_ns = monotonic_ns()
    os.write(_stamps(), STAMP.pack(wanted_ns, started_ns))


def pause(ms: int) -> None:
    """Wait, as for an answer over the network."""
    sleep(ms / 1000)
    stamp(0)


def compute(rounds: int) -> None:
    """Use the processor, in the interpreter: half a millisecond for each thousand rounds."""
    digest = b""
    for number in range(rounds):
        digest = hashlib.sha256(digest + number.to_bytes(8, "little")).digest()
    stamp(0)


def hold(ms: int) -> None:
    """Note which process began it, in place of the instant that was wanted, and run for long."""
    stamp(os.getpid())
    sleep(ms / 1000)


JOBS = (nothing, stamp, pause, compute, hold)


@functools.cache
def _stamps() -> int:
    return os.open(os.environ[STAMPS_VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
