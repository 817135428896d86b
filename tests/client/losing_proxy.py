"""A proxy before a web server that loses answers: the request was carried out, and who sent it never hears of that."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Sequence
from typing import Self


class LosingProxy:
    """Cuts the connection in place of every n-th answer, or the first connections after some bytes.

    Args:
        port: of the server, on loopback.
        every: the n; 0: none.
        cuts: of the first connections, how many bytes each lets through.
    """

    def __init__(self, port: int, every: int = 0, cuts: Sequence[int] = ()) -> None:
        self._port = port
        self._every = every
        self._answers = itertools.count(1)
        self._cuts = iter(cuts)
        self.lost = 0
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                threading.Thread(target=_forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        left = next(self._cuts, 1 << 30)
        with client, server, contextlib.suppress(OSError):
            while data := server.recv(1 << 20):
                is_answer = data.startswith(b"HTTP/1.1 ")
                is_lost = self._every and is_answer and next(self._answers) % self._every == 0
                if not is_lost:
                    client.sendall(data[:left])
                left -= len(data)
                if is_lost or left < 0:
                    self.lost += 1
                    break
            client.shutdown(socket.SHUT_RDWR)


def _forward(client: socket.socket, server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := client.recv(1 << 20):
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)
