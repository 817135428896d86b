"""What is asked of other servers, against real ones on loopback."""

import gzip
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address, ip_network
from pathlib import Path
from time import monotonic

import httpx2
import pytest

from tests.mail_host import CERTIFICATE, server_context
from tests.outbound.site import Answer, Site, refuses_connections, says
from worker_service.jobs.errors import AddressRefused, PermanentError
from worker_service.outbound import Network, checked_client
from worker_service.outbound.addresses import Address
from worker_service.outbound.transport import CheckedTransport
from worker_service.tasks.download import download

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Resolver:
    """Answers the first question with one address, and all later ones with another."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ip_address(text) for text in answer.split()]


def a_client(
    resolve: Resolver, allowed: Sequence[Network] = (), *, follow_redirects: bool = True
) -> httpx2.Client:
    """As `checked_client`, with names of our own."""
    return httpx2.Client(
        transport=CheckedTransport(allowed, 5, resolve), trust_env=False, follow_redirects=follow_redirects
    )


def get(url: str, allowed: Sequence[Network] = ()) -> httpx2.Response:
    with checked_client(allowed, seconds=5, silence=5, follow_redirects=True) as client:
        return client.get(url)


@pytest.fixture
def page() -> Iterator[Site]:
    """A site that says hello."""
    with Site(says(b"hello")) as site:
        yield site


class TestRefused:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "127.1",
            "127.0.0.2",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "0",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::]",
            "①②⑦.0.0.1",  # full-width and circled digits are the same after IDNA
            "127。0。0。1",
            "example.com@127.0.0.1",
            "user:password@127.0.0.1",
        ],
    )
    def test_no_spelling_of_loopback_leads_there(self, page: Site, host: str):
        with pytest.raises((PermanentError, httpx2.InvalidURL)):
            get(f"http://{host}:{page.port}/")
        assert page.hosts == []

    @pytest.mark.parametrize(
        "host", ["10.0.0.1", "192.168.1.1", "169.254.169.254", "[fd00::1]", "[fe80::1]", "100.64.0.1"]
    )
    def test_private_and_link_local_addresses_are_refused_without_a_try(self, host: str):
        with pytest.raises(AddressRefused, match=r"set JOBS_OUTBOUND_ALLOW="):
            get(f"http://{host}/")

    @pytest.mark.parametrize(
        "addresses", ["127.0.0.1", "10.0.0.1", "93.184.216.34 10.0.0.1", "::1", "64:ff9b::7f00:1"]
    )
    def test_name_is_refused_when_one_of_its_addresses_is_not_public(self, addresses: str):
        resolve = Resolver(addresses)
        with a_client(resolve) as client, pytest.raises(AddressRefused, match=r"rebound\.example"):
            client.get("http://rebound.example/")
        assert resolve.asked == ["rebound.example"]

    @pytest.mark.parametrize("url", ["http://127.0.0.1\\@example.com/", "http://example.com#@127.0.0.1/"])
    def test_what_is_checked_is_the_host_that_the_connection_goes_to(self, url: str):
        resolve = Resolver("10.0.0.1")
        with a_client(resolve) as client, pytest.raises((AddressRefused, httpx2.InvalidURL)):
            client.get(url)
        assert resolve.asked in ([], ["example.com"])

    def test_refusal_says_what_was_found_and_what_to_set(self):
        with pytest.raises(AddressRefused) as caught, a_client(Resolver("10.1.2.3")) as client:
            client.get("http://intranet.example/")
        assert "intranet.example (10.1.2.3) is not a public address" in str(caught.value)
        assert "JOBS_OUTBOUND_ALLOW=10.1.2.3" in str(caught.value)

    def test_socket_file_is_no_way_out(self, tmp_path: Path):
        from worker_service.outbound.backend import CheckedBackend

        with pytest.raises(AddressRefused):
            CheckedBackend((), 5).connect_unix_socket(str(tmp_path / "socket"))


class TestConnection:
    def test_it_goes_to_the_address_that_was_checked(self, page: Site):
        resolve = Resolver("127.0.0.2", "127.0.0.1")  # what a second lookup would find is where the site is
        with a_client(resolve, [ip_network("127.0.0.2")]) as client, pytest.raises(httpx2.ConnectError):
            client.get(f"http://changing.example:{page.port}/")
        assert (resolve.asked, page.hosts) == (["changing.example"], [])

    def test_name_that_comes_to_lead_elsewhere_is_refused_at_the_next_connection(self, page: Site):
        resolve = Resolver("127.0.0.1", "127.0.0.3")
        with a_client(resolve, [ip_network("127.0.0.1")]) as client:
            url = f"http://changing.example:{page.port}/"
            assert client.get(url, headers={"Connection": "close"}).text == "hello"
            with pytest.raises(AddressRefused, match=r"127\.0\.0\.3"):
                client.get(url)
        assert page.hosts == [f"changing.example:{page.port}"]

    def test_next_address_is_tried_when_one_does_not_answer(self, page: Site):
        with a_client(Resolver("127.0.0.2 127.0.0.1"), LOOPBACK) as client:
            assert client.get(f"http://two.example:{page.port}/").text == "hello"

    def test_environment_names_no_proxy(self, page: Site, monkeypatch: pytest.MonkeyPatch):
        nobody = f"http://127.0.0.1:{refuses_connections()}"
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, nobody)
        assert get(page.url, LOOPBACK).text == "hello"

    def test_certificate_is_verified_by_the_name(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        with Site(says(b"secret"), server_context()) as site:
            with a_client(Resolver("127.0.0.1"), LOOPBACK) as client:
                assert client.get(f"https://localhost:{site.port}/").text == "secret"
            with (
                a_client(Resolver("127.0.0.1"), LOOPBACK) as client,
                pytest.raises(httpx2.ConnectError, match="certificate"),
            ):
                client.get(f"https://other.example:{site.port}/")
            assert site.hosts == [f"localhost:{site.port}"]

    def test_server_is_told_which_name_is_asked_for(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        named: list[str | None] = []
        context = server_context()
        context.sni_callback = lambda _, name, __: named.append(name)
        with Site(says(b"secret"), context) as site, a_client(Resolver("127.0.0.1"), LOOPBACK) as client:
            client.get(f"https://localhost:{site.port}/")
        assert named == ["localhost"]


class TestRedirects:
    def test_each_hop_is_checked(self, page: Site):
        location = f"http://127.0.0.2:{page.port}/"
        with (
            Site(says(b"", status=302, Location=location)) as site,
            pytest.raises(AddressRefused, match=r"127\.0\.0\.2"),
        ):
            get(site.url, [ip_network("127.0.0.1")])
        assert page.hosts == []

    @pytest.mark.parametrize(
        "location", ["ftp://127.0.0.1/", "file:///etc/passwd", "http://[::1]:1/", "//10.0.0.1/"]
    )
    def test_none_leads_to_another_scheme_or_a_private_address(self, location: str):
        with Site(says(b"", status=302, Location=location)) as site, pytest.raises(PermanentError):
            download(site.url, 1000, [ip_network("127.0.0.1")])

    def test_it_is_not_followed_by_who_does_not_ask_for_it(self, page: Site):
        with (
            Site(says(b"", status=307, Location=page.url)) as site,
            checked_client(LOOPBACK, seconds=5, silence=5, follow_redirects=False) as client,
        ):
            assert client.get(site.url).status_code == 307
        assert page.hosts == []


class TestBounds:
    @pytest.mark.parametrize("times", [1, 2])
    def test_body_is_bounded_as_it_is_unpacked(self, times: int):
        body = b"\0" * (200 * 1024 * 1024)
        for _ in range(times):
            body = gzip.compress(body)
        encoding = ", ".join(["gzip"] * times)
        with (
            Site(says(body, Content_Encoding=encoding)) as site,
            pytest.raises(PermanentError, match="more than 1000 bytes"),
        ):
            download(site.url, 1000, LOOPBACK)

    def test_body_that_cannot_be_unpacked_is_given_up(self):
        with Site(says(b"no gzip", Content_Encoding="gzip")) as site, pytest.raises(PermanentError):
            download(site.url, 1000, LOOPBACK)

    @pytest.mark.parametrize("where", ["headers", "body"])
    def test_server_that_drips_is_left_when_the_time_is_up(self, where: str):
        stop = threading.Event()
        with Site(drips(where, stop)) as site:
            began = monotonic()
            with (
                checked_client(LOOPBACK, seconds=0.3, silence=5, follow_redirects=True) as client,
                pytest.raises(httpx2.TimeoutException),
            ):
                client.get(site.url)
            stop.set()
        assert monotonic() - began < 4

    def test_silent_server_is_left(self):
        stop = threading.Event()
        with Site(lambda _: waits(stop)) as site:
            with (
                checked_client(LOOPBACK, seconds=30, silence=0.1, follow_redirects=True) as client,
                pytest.raises(httpx2.ReadTimeout),
            ):
                client.get(site.url)
            stop.set()


def drips(where: str, stop: threading.Event) -> Answer:
    """A byte now and then, without end."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(
            b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 9999\r\n\r\n" if where == "body" else b"X-A: ")
        )
        while not stop.wait(0.02):
            request.wfile.write(b"x")

    return answer


def waits(stop: threading.Event) -> None:
    """Says nothing."""
    stop.wait(10)
