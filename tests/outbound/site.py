"""A small site on loopback, which tests tell what to answer."""

import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """The server; use it in a ``with``.

    Args:
        answer: writes the answer to one request.
        context: for TLS.

    Attributes:
        hosts: the Host header of each request.
    """

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        hosts: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hosts.append(self.headers["Host"])
                try:
                    answer(self)
                except OSError:
                    self.close_connection = True  # the client has seen enough

            def log_message(self, *args: object) -> None:
                """Nothing."""

        self.hosts = hosts
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that does not trust it
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Site":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def says(body: bytes, *, status: int = 200, **headers: str) -> Answer:
    """Answers the same to every request; ``_`` in the name of a header is a hyphen."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def refuses_connections() -> Any:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]
