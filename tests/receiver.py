"""A receiver of webhooks on loopback, which tests tell what to answer."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "webhooks.md"

SECRET = "whsec_" + "A" * 43 + "="
OLDER_SECRET = "whsec_" + "B" * 43 + "="


@dataclass(frozen=True)
class Received:
    """One delivery, as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


def examples() -> dict[str, Any]:
    """What the page's Python code defines: ``is_genuine``, and the receiver ``app`` with this module's secret."""
    names: dict[str, Any] = {"SECRET": SECRET, "__name__": "example"}
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(code, names)
    return names


def is_genuine(secret: str, received: Received) -> bool:
    """What the page tells receivers to do."""
    verify: Callable[..., bool] = examples()["is_genuine"]
    return verify(secret, received.headers, received.body)


class Receiver:
    """The server; use it in a ``with``.

    Args:
        port: by default one that is free.

    Attributes:
        received: all deliveries so far.
        answers: status, or status and headers, of the next ones; then 204.
        hold: while it is not set, deliveries are kept waiting for their answer.
    """

    def __init__(self, port: int = 0) -> None:
        self.received: list[Received] = []
        self.answers: list[int | tuple[int, dict[str, str]]] = []
        self.hold = threading.Event()
        self.hold.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(Received(dict(self.headers), body))
                receiver.hold.wait(30)
                answer = receiver.answers.pop(0) if receiver.answers else 204
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
