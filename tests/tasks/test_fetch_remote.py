"""fetch_remote against a real HTTP server on loopback."""

import contextlib
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any, ClassVar

import httpx2
import pytest

from worker_service.jobs.errors import PermanentError, RetryLater
from worker_service.tasks.download import RemoteError
from worker_service.tasks.fetch_remote import SIZE_LIMIT
from worker_service.tasks.fetch_remote import fetch_remote as fetch_from

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Pages(BaseHTTPRequestHandler):
    """What the tests ask for."""

    asked: ClassVar[list[tuple[str, str | None, str | None]]] = []
    version = "1"

    def do_GET(self) -> None:
        path, _, wait = self.path.partition("?")
        if path == "/bomb":
            self._answer_bomb()
            return
        if path.startswith("/known"):
            self._answer_known(path)
            return
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

    def _answer_bomb(self) -> None:
        """Some kilobytes that become twenty megabytes."""
        packer = zlib.compressobj(wbits=31)
        body = b"".join(packer.compress(bytes(2**20)) for _ in range(20)) + packer.flush()
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def _answer_known(self, path: str) -> None:
        """A page that says which version it is, each kind in its way."""
        conditions = (self.headers["If-None-Match"], self.headers["If-Modified-Since"])
        self.asked.append((path, *conditions))
        has = {"ETag": f'"{self.version}"', "Last-Modified": f"Thu, 0{self.version} Jan 2026 00:00:00 GMT"}
        if path == "/known/moved":
            self.send_response(302)
            self.send_header("Location", "/known/etag")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if any(condition in has.values() for condition in conditions):
            self.send_response(304)
            self.end_headers()
            return
        body = f"version {self.version}".encode()
        self.send_response(200)
        if path == "/known/strange":
            has = {"ETag": '"é"'}
        for name in {"/known/etag": ["ETag"], "/known/date": ["Last-Modified"]}.get(path, list(has)):
            self.send_header(name, has[name])
        if path == "/known/secret":
            self.send_header("Cache-Control", "private, No-Store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing."""


Fetch = Callable[[str], dict[str, Any]]


@pytest.fixture
def fetch_remote(tmp_path: Path) -> Fetch:
    """The task where loopback is allowed."""
    return lambda url: fetch_from(tmp_path, url, LOOPBACK)


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


def test_a_page_is_returned_with_what_is_known_of_it(fetch_remote: Fetch, site: str) -> None:
    assert fetch_remote(f"{site}/page") == {
        "status": 200,
        "content_type": "text/plain; charset=utf-8",
        "bytes": len("grüße".encode()),
        "text": "grüße",
        "unchanged": False,
    }


@pytest.fixture
def asked() -> Iterator[list[tuple[str, str | None, str | None]]]:
    """What the known pages were asked: path, If-None-Match, If-Modified-Since; they are version 1 at first."""
    Pages.asked.clear()
    yield Pages.asked
    Pages.version = "1"


Asked = list[tuple[str, str | None, str | None]]
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("path", "conditions"),
    [("/known/etag", ('"1"', None)), ("/known/date", (None, DATE)), ("/known/both", ('"1"', DATE))],
)
def test_page_that_has_not_changed_is_not_sent_again(
    fetch_remote: Fetch, site: str, asked: Asked, path: str, conditions: tuple[str | None, str | None]
):
    first, again = fetch_remote(site + path), fetch_remote(site + path)
    assert (first["text"], first["unchanged"]) == ("version 1", False)
    assert again == {**first, "unchanged": True}
    assert asked == [(path, None, None), (path, *conditions)]
    Pages.version = "2"
    assert (changed := fetch_remote(site + path))["text"] == "version 2"
    assert (changed["unchanged"], asked[-1]) == (False, (path, *conditions))


def test_what_is_known_of_a_page_is_asked_at_its_own_address_only(
    fetch_remote: Fetch, site: str, asked: Asked
):
    for _ in range(2):
        assert fetch_remote(f"{site}/known/moved")["text"] == "version 1"
    assert asked == [
        ("/known/moved", None, None),
        ("/known/etag", None, None),
        ("/known/moved", None, None),
        ("/known/etag", '"1"', None),
    ]


@pytest.mark.parametrize("kind", ["secret", "strange"])
def test_page_that_must_not_be_stored_or_cannot_be_asked_for_is_not_remembered(
    fetch_remote: Fetch, site: str, asked: Asked, tmp_path: Path, kind: str
):
    fetch_remote(f"{site}/known/{kind}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"etag": 5}', b"\xff"])
def test_memory_that_cannot_be_read_is_no_memory(
    fetch_remote: Fetch, site: str, asked: Asked, tmp_path: Path, content: bytes
):
    fetch_remote(f"{site}/known/etag")
    [memory] = (tmp_path / "fetched").iterdir()
    memory.write_bytes(content)
    assert fetch_remote(f"{site}/known/etag")["unchanged"] is False
    assert fetch_remote(f"{site}/known/etag")["unchanged"] is True


def test_folder_that_cannot_be_written_costs_the_memory_only(site: str, asked: Asked, tmp_path: Path):
    (tmp_path / "fetched").write_text("in the way")
    assert fetch_from(tmp_path, f"{site}/known/etag", LOOPBACK)["text"] == "version 1"


def test_page_on_this_machine_is_not_fetched(tmp_path: Path, site: str):
    with pytest.raises(PermanentError, match=r"JOBS_OUTBOUND_ALLOW=127\.0\.0\.1"):
        fetch_from(tmp_path, f"{site}/page")


def test_server_that_says_when_to_come_back_is_obeyed(fetch_remote: Fetch, site: str):
    with pytest.raises(RetryLater) as caught:
        fetch_remote(f"{site}/busy?90")
    assert caught.value.delay_ms >= 90_000


@pytest.mark.parametrize(("path", "status"), [("/broken", "503"), ("/busy", "429")])
def test_a_server_that_fails_or_is_busy_may_be_asked_again(
    fetch_remote: Fetch, site: str, path: str, status: str
) -> None:
    with pytest.raises(RemoteError, match=status):
        fetch_remote(site + path)


def test_a_refused_connection_may_be_tried_again(fetch_remote: Fetch) -> None:
    with pytest.raises(httpx2.ConnectError):
        fetch_remote("http://127.0.0.1:1/")


@pytest.mark.parametrize("path", ["/gone", "/loop", "/large", "/bomb"])
def test_what_cannot_get_better_is_given_up(fetch_remote: Fetch, site: str, path: str) -> None:
    with pytest.raises(PermanentError):
        fetch_remote(site + path)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "page", "http://", "file:///etc/passwd"])
def test_what_is_no_web_address_is_given_up(fetch_remote: Fetch, url: str) -> None:
    with pytest.raises(PermanentError):
        fetch_remote(url)
