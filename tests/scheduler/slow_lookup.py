"""The scheduler on a machine whose name lookups hang."""

import ctypes
import signal
import socket
import sys
from typing import Any, NoReturn

from scheduler.__main__ import main

HANGS_SECONDS = 60


def hang(*_: Any, **__: Any) -> NoReturn:
    """As the C library does it: a signal ends no wait on this thread, and Python is not asked meanwhile."""
    sys.stderr.write("looking up\n")
    sys.stderr.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    ctypes.CDLL(None).sleep(HANGS_SECONDS)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    raise socket.gaierror("no such name")


if __name__ == "__main__":
    socket.getaddrinfo = hang
    main()
