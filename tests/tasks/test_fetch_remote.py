"""fetch_remote against a real HTTP server on loopback."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import httpx2
import pytest

from worker_service.jobs.errors import PermanentError, RetryLater
from worker_service.tasks.download import RemoteError
from worker_service.tasks.fetch_remote import SIZE_LIMIT
from worker_service.tasks.fetch_remote import fetch_remote as fetch_from

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Pages(BaseHTTPRequestHandler):
    """What the tests ask for."""

    def do_GET(self) -> None:
        path, _, wait = self.path.partition("?")
        status = {"/page": 200, "/large": 200, "/loop": 302, "/gone": 404, "/busy": 429, "/broken": 503}[path]
        body = b"x" * (SIZE_LIMIT + 1) if self.path == "/large" else "grüße".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", "/loop")
        if wait:
            self.send_header("Retry-After", wait)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the client has seen enough

    def log_message(self, *args: object) -> None:
        """Nothing."""


def fetch_remote(url: str) -> dict[str, Any]:
    """The task where loopback is allowed."""
    return fetch_from(url, LOOPBACK)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Address of a running site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_page_is_returned_with_what_is_known_of_it(site: str) -> None:
    assert fetch_remote(f"{site}/page") == {
        "status": 200,
        "content_type": "text/plain; charset=utf-8",
        "bytes": len("grüße".encode()),
        "text": "grüße",
    }


def test_page_on_this_machine_is_not_fetched(site: str):
    with pytest.raises(PermanentError, match=r"JOBS_OUTBOUND_ALLOW=127\.0\.0\.1"):
        fetch_from(f"{site}/page")


def test_server_that_says_when_to_come_back_is_obeyed(site: str):
    with pytest.raises(RetryLater) as caught:
        fetch_remote(f"{site}/busy?90")
    assert caught.value.delay_ms >= 90_000


@pytest.mark.parametrize(("path", "status"), [("/broken", "503"), ("/busy", "429")])
def test_a_server_that_fails_or_is_busy_may_be_asked_again(site: str, path: str, status: str) -> None:
    with pytest.raises(RemoteError, match=status):
        fetch_remote(site + path)


def test_a_refused_connection_may_be_tried_again() -> None:
    with pytest.raises(httpx2.ConnectError):
        fetch_remote("http://127.0.0.1:1/")


@pytest.mark.parametrize("path", ["/gone", "/loop", "/large"])
def test_what_cannot_get_better_is_given_up(site: str, path: str) -> None:
    with pytest.raises(PermanentError):
        fetch_remote(site + path)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "page", "http://", "file:///etc/passwd"])
def test_what_is_no_web_address_is_given_up(url: str) -> None:
    with pytest.raises(PermanentError):
        fetch_remote(url)
