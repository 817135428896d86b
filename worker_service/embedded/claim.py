"""The claim on a data directory: a file lock that the server inherits.

It lasts as long as somebody can write there, and ends by itself, whoever is killed. The file says who that is.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from .errors import DataDirInUse, unusable

_DEADLINE_S = 2.0  # a server whose owner was killed needs a moment to end


@contextlib.contextmanager
def claimed(data_dir: Path) -> Iterator[int]:
    """Yield the descriptor of the locked file; the lock lives on in every process that inherited it.

    Raises:
        DataDirInUse: somebody else has it; names the process.
        ServerStartFailed: the lock file cannot be written.
    """
    path = data_dir / "server.lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unusable(data_dir, error) from error
    try:
        if not _lock(lock):
            raise DataDirInUse(
                f"The data directory {data_dir} is in use by another run: {_owner(lock, path)}. Stop that one "
                "first, or use another directory: JOBS_DATA_DIR=.data-2"
            )
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield lock
    finally:
        os.close(lock)


def _lock(descriptor: int) -> bool:
    end = time.monotonic() + _DEADLINE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        else:
            return True


def _owner(lock: int, path: Path) -> str:
    owner = os.pread(lock, 20, 0).decode(errors="replace")
    return f"process {owner} (`kill {owner}` stops it)" if owner.isdigit() else f"`fuser {path}` names it"
