"""Tells this process that it is asked to stop, whatever its server does with the signal.

A server sets its own handlers after it has loaded the application (granian does), and then waits for requests under
way. Python writes the number of each signal to a socket as well, if one was named; a thread reads it there.
"""

import signal
import socket
import threading
from collections.abc import Callable

STOPS = frozenset({signal.SIGTERM, signal.SIGINT})


def on_stop_signal(call: Callable[[], None]) -> None:
    """Call a function, on a thread of its own, when this process gets SIGTERM or SIGINT.

    Args:
        call: safe to call twice.

    Raises:
        ValueError: this is not the main thread.
    """
    read, write = socket.socketpair()
    write.setblocking(False)
    signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        with read, write:
            while numbers := read.recv(64):
                if STOPS.intersection(numbers):
                    call()

    threading.Thread(target=listen, name="stop-signal", daemon=True).start()
