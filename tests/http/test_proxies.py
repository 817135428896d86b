"""Behind a reverse proxy: its word is taken when it is one of ours, and all addresses begin with its path."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from worker_service.api.proxies import Proxies
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings, WrongSettings, settings
from worker_service.web import create_app

Environ = dict[str, Any]


def seen(trusted: str = "10.0.0.0/8,::1/128", below: str = "", **given: str) -> Environ:
    """What the application sees of a request, by default from a proxy of ours."""
    found: Environ = {}
    networks = Settings(trusted_proxies=trusted).trusted_proxies  # type: ignore[arg-type]
    environ = {
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_HOST": "inner:8000",
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/v1/jobs",
        **{name.upper() if name in ("remote_addr", "path_info") else f"HTTP_X_FORWARDED_{name.upper()}": value
           for name, value in given.items()},
    }  # fmt: skip

    def app(environ: Environ, _: Any) -> list[bytes]:
        found.update(environ)
        return []

    Proxies(app, networks, below)(environ, None)
    return found


class TestTrusted:
    def test_client_scheme_and_host_are_those_that_it_names(self):
        found = seen(**{"for": "203.0.113.9", "proto": "https", "host": "jobs.example.org"})
        assert found["REMOTE_ADDR"] == "203.0.113.9"
        assert found["wsgi.url_scheme"] == "https"
        assert found["HTTP_HOST"] == "jobs.example.org"

    def test_what_the_client_invented_stands_before_and_is_not_read(self):
        found = seen(**{"for": "6.6.6.6, 203.0.113.9, 10.1.1.1", "proto": "gopher, https, http"})
        assert found["REMOTE_ADDR"] == "203.0.113.9"
        assert found["wsgi.url_scheme"] == "https"

    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("203.0.113.9:51000", "203.0.113.9"),
            ("[2001:db8::7]:51000", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("unknown", "10.0.0.1"),
            ("", "10.0.0.1"),
            ("10.9.9.9", "10.9.9.9"),
        ],
    )
    def test_address_is_read_in_every_form(self, text: str, address: str):
        assert seen(**{"for": text})["REMOTE_ADDR"] == address

    @pytest.mark.parametrize("host", ["evil.example/path", "a b", "x@y", "h:999999", "[::1"])
    def test_host_that_is_none_is_dropped(self, host: str):
        assert seen(host=host)["HTTP_HOST"] == "inner:8000"

    def test_proxy_may_ask_over_ipv6_or_mapped(self):
        for peer in ("::1", "::ffff:10.0.0.1"):
            assert seen(remote_addr=peer, **{"for": "203.0.113.9"})["REMOTE_ADDR"] == "203.0.113.9"


class TestOthers:
    @pytest.mark.parametrize("peer", ["203.0.113.66", "11.0.0.1", "2001:db8::1", "", "unix:"])
    def test_their_word_is_dropped(self, peer: str):
        given = {"for": "10.0.0.5", "proto": "https", "host": "evil.example", "prefix": "/x"}
        found = seen(remote_addr=peer, **given)
        assert (found["REMOTE_ADDR"], found["HTTP_HOST"]) == (peer, "inner:8000")
        assert (found["wsgi.url_scheme"], found["SCRIPT_NAME"]) == ("http", "")
        assert not [name for name in found if "FORWARDED" in name]

    def test_without_proxies_of_ours_nobody_is_believed(self):
        assert seen(trusted="", **{"for": "203.0.113.9"})["REMOTE_ADDR"] == "10.0.0.1"


class TestPrefix:
    @pytest.mark.parametrize(
        ("path", "inside"),
        [("/jobs/v1/x", "/v1/x"), ("/jobs", ""), ("/v1/x", "/v1/x"), ("/jobsx/y", "/jobsx/y")],
    )
    def test_is_taken_off_where_the_proxy_left_it(self, path: str, inside: str):
        found = seen(below="/jobs", path_info=path)
        assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == ("/jobs", inside)

    def test_may_come_with_the_request(self):
        assert seen(prefix="/jobs/")["SCRIPT_NAME"] == "/jobs"
        assert seen(**{"for": "203.0.113.9", "prefix": "/a/b/"})["SCRIPT_NAME"] == "/a/b"
        assert seen(**{"for": "203.0.113.9", "prefix": "//evil.example"})["SCRIPT_NAME"] == ""

    @pytest.fixture
    def below(self, broker: JobBroker, settings: Settings) -> FlaskClient:
        """Asks an application that is served below /team/jobs."""
        return create_app(
            broker, Settings(**{**settings.model_dump(), "http_prefix": "/team/jobs"})
        ).test_client()

    def test_every_address_in_an_answer_begins_with_it(self, below: FlaskClient):
        made = below.post("/team/jobs/v1/jobs", json={"actor": "add", "args": {"x": 1}})
        assert made.headers["Location"] == made.get_json()["links"]["self"]
        assert made.headers["Location"].startswith("/team/jobs/v1/jobs/")
        assert below.get(made.headers["Location"]).status_code == 200
        below.post("/team/jobs/v1/jobs", json={"actor": "add", "args": {"x": 1}})
        first = below.get("/team/jobs/v1/jobs?limit=1")
        assert first.headers["Link"].startswith("</team/jobs/v1/jobs?limit=1&cursor=")
        actor = below.get("/team/jobs/v1/actors/add").get_json()
        assert actor["links"]["self"] == "/team/jobs/v1/actors/add"
        put = below.put(
            "/team/jobs/v1/schedules/s", json={"actor": "add", "args": {"x": 1}, "every_ms": 60_000}
        )
        assert put.headers["Location"] == put.get_json()["links"]["self"] == "/team/jobs/v1/schedules/s"
        key = below.post("/team/jobs/v1/keys", json={"name": "k", "scopes": ["read"]})
        assert key.headers["Location"] == key.get_json()["links"]["self"]
        assert key.headers["Location"].startswith("/team/jobs/v1/keys/")

    def test_the_page_and_the_form_stay_below_it(self, below: FlaskClient):
        page = below.get("/team/jobs/").get_data(as_text=True)
        assert 'href="/team/jobs/static/css/tokens.css"' in page
        assert "http://localhost/team/jobs/v1/jobs" in page
        key = below.post("/team/jobs/v1/keys", json={"name": "k", "scopes": ["read"]}).get_json()["key"]
        led = below.get("/team/jobs/", headers={"Accept": "text/html"}).headers["Location"]
        assert led == "/team/jobs/login?next=%2F"
        done = below.post("/team/jobs/login", data={"key": key, "next": "/"})
        assert done.headers["Location"] == "/team/jobs/"
        assert "Path=/team/jobs/" in done.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOBS_HTTP_PREFIX", "jobs"),
        ("JOBS_HTTP_PREFIX", "/jobs/"),
        ("JOBS_TRUSTED_PROXIES", "proxy"),
        ("JOBS_TRUSTED_PROXIES", "10.0.0.1/8"),
    ],
)
def test_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    settings.cache_clear()
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings, match=name):
        settings()
    settings.cache_clear()
