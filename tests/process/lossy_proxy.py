"""A proxy before a server that loses replies: the script has run, and who asked for it never hears of that."""

import contextlib
import re
import socket
import threading
from collections import Counter
from typing import Self

_SCRIPT = re.compile(rb"EVALSHA\r\n\$40\r\n([0-9a-f]{40})\r\n")


class LossyProxy:
    """Cuts the connection in place of the reply to every n-th call of each script.

    Args:
        path: the unix socket of the server.
        every: the n.
    """

    def __init__(self, path: str, every: int) -> None:
        self._path = path
        self._every = every
        self._calls: Counter[bytes] = Counter()
        self.lost: Counter[bytes] = Counter()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        with self._lock:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._path)
        cut = threading.Event()
        with self._lock:
            self._open |= {client, server}
        threading.Thread(target=_pass_back, args=(server, client, cut), daemon=True).start()
        with client, server, contextlib.suppress(OSError):
            while request := client.recv(1 << 20):
                if self._is_lost(request):
                    cut.set()
                server.sendall(request)

    def _is_lost(self, request: bytes) -> bool:
        with self._lock:
            for script in _SCRIPT.findall(request):
                self._calls[script] += 1
                if self._calls[script] % self._every == 0:
                    self.lost[script] += 1
                    return True
        return False


def _pass_back(server: socket.socket, client: socket.socket, cut: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while (data := server.recv(1 << 20)) and not cut.is_set():
            client.sendall(data)
    for each in (client, server):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
