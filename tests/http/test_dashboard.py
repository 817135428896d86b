"""The page at / shows what there is, needs no script, and shows text as text."""

import json
import re
import shlex
import time
from datetime import datetime
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.store.builders import a_session, claim, claimed, finish, schedules_of, submitted
from worker_service.broker.broker import JobBroker
from worker_service.dashboard.pages.overview import NEWEST_JOBS
from worker_service.embedded import EmbeddedServer
from worker_service.settings import Settings
from worker_service.store import Rates, Store

MARKUP = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>{{7*7}}"
ELEMENTS_WITHOUT_END = {"meta", "link", "input"}


class Page(HTMLParser):
    """What a browser finds in a page: elements, the text of each, and whether they are closed in order."""

    def __init__(self, answer: TestResponse) -> None:
        super().__init__()
        assert answer.content_type == "text/html; charset=utf-8"
        self.html = answer.get_data(as_text=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(self.html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ELEMENTS_WITHOUT_END:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def refreshes(self) -> bool:
        return any(each.get("http-equiv") == "refresh" for each in self.all("meta"))


def page(client: FlaskClient, path: str = "/") -> Page:
    answer = client.get(path)
    assert answer.status_code == 200
    return Page(answer)


def count_of(found: Page, state: str) -> int:
    """The number in the tile of a state."""
    number = re.search(rf'class="state {state}">{state}</span>(?:</a>)?</dt>\s*<dd>([\d,]+)</dd>', found.html)
    assert number
    return int(number[1].replace(",", ""))


@pytest.fixture
def store(broker: JobBroker) -> Store:
    """The store of the application."""
    return broker.store


def now() -> int:
    return time.time_ns() // 1_000_000


class TestEmpty:
    def test_shows_a_command_that_creates_the_first_job(self, client: FlaskClient):
        found = page(client)
        assert "No job yet." in found.text
        assert "No worker is running" in page(client, "/ui/workers").text
        line = found.text[found.text.index("curl ") :].partition("}}'")[0] + "}}'"
        command, quiet, address, *options = shlex.split(line)
        assert (command, quiet, address) == ("curl", "-s", "http://localhost/v1/jobs")
        assert options[0] == "-H"
        name, _, content_type = options[1].partition(": ")
        assert (name, options[2]) == ("Content-Type", "-d")

        answer = client.post("/v1/jobs", data=options[3], content_type=content_type)

        assert answer.status_code == 202
        assert answer.get_json()["id"] in page(client).text
        assert "No job yet." not in page(client).text

    def test_shows_the_address_it_was_asked_at(self, client: FlaskClient):
        found = Page(client.get("/", headers={"Host": "127.0.0.1:8123"}))
        assert "http://127.0.0.1:8123/v1/jobs" in found.text


class TestNumbers:
    def test_counts_by_state(self, client: FlaskClient, store: Store):
        finish(store, claimed(store, now_ms=now()), "complete", now_ms=now())
        claimed(store, now_ms=now())
        for _ in range(1200):
            submitted(store, now_ms=now())
        submitted(store, delay_ms=60_000, now_ms=now())
        found = page(client)
        assert "1,200" in found.text
        counts = {state: count_of(found, state) for state in ("queued", "delayed", "running", "succeeded")}
        assert counts == {"queued": 1200, "delayed": 1, "running": 1, "succeeded": 1}

    def test_what_needs_somebody_is_told_when_it_is_true(self, client: FlaskClient, store: Store):
        assert "No worker process lives" in page(client).text
        store.open_session("s", 60_000, {"host": "here"})
        schedules_of(store).lead("here:1:x", 60_000)
        assert "What needs somebody" not in page(client).text

    def test_what_needs_somebody_leads_to_the_page_about_it(self, client: FlaskClient, store: Store):
        assert "/ui/workers" in self.places_of_alerts(client)
        finish(store, claimed(store, actor="add", now_ms=now()), "dead_letter", reason="failed", now_ms=now())
        Rates(store.client, store.keys).roll_up()
        found = self.places_of_alerts(client)
        assert found == {"/ui/schedules", "/ui/jobs?filter=state:dead+actor:add"}

    def places_of_alerts(self, client: FlaskClient) -> set[str]:
        html = page(client).html
        listed = html.partition('<ul class="alerts">')[2].partition("</ul>")[0]
        return set(re.findall(r'href="([^"]*)"', listed))

    def test_what_was_counted_over_time_stands_in_a_table(self, client: FlaskClient, store: Store):
        finish(store, claimed(store, now_ms=now()), "complete", now_ms=now())
        Rates(store.client, store.keys).roll_up()
        for range_, spans in (("1h", 60), ("72h", 72), ("nope", 60)):
            found = page(client, f"/?range={range_}")
            counted = [each for each in found.all("td") if each.get("data-series") == "succeeded"]
            assert len(counted) == spans
            assert [each["data-value"] for each in counted].count("1") == 1

    def test_oldest_job_of_a_queue(self, client: FlaskClient, store: Store):
        submitted(store, queue="slow", now_ms=now() - 3 * 3600_000 - 5 * 60_000)
        assert "3 h 5 min" in page(client).text

    def test_lost_worker_is_called_lost(self, client: FlaskClient, store: Store):
        a_session(store, "alive", now_ms=now())
        assert "lost" not in page(client, "/ui/workers").words
        a_session(store, "gone", now_ms=now() - 60_000)
        assert {"alive", "gone", "lost"} <= set(page(client, "/ui/workers").words)


class TestJobs:
    def test_newest_twenty_are_shown_and_lead_to_the_job(self, client: FlaskClient, store: Store):
        made = [submitted(store, now_ms=now() + number) for number in range(NEWEST_JOBS + 5)]
        found = page(client)
        shown = [link["href"] for link in found.all("a") if "data-open" in link]
        assert shown == [f"/ui/jobs/{id}" for id in made[:4:-1]]
        assert made[-1] in page(client, str(shown[0])).text

    def test_failed_job_shows_type_and_first_line_of_its_error(self, client: FlaskClient, store: Store):
        error = json.dumps({"type": "ValueError", "message": "\n  no such row\nsecond", "traceback": "deep"})
        job = claimed(store, now_ms=now() - 5000)
        finish(store, job, "dead_letter", reason="failed", error=error, now_ms=now() - 3600)
        text = page(client).text
        assert "ValueError no such row" in text
        assert "1.4 s" in text
        assert "second" not in text
        assert "deep" not in text

    def test_dead_job_without_an_error_shows_why(self, client: FlaskClient, store: Store):
        finish(store, claimed(store, now_ms=now()), "dead_letter", reason="skipped", now_ms=now())
        assert "skipped" in page(client).words

    def test_scheduled_job_shows_when(self, client: FlaskClient, store: Store):
        submitted(store, delay_ms=7200_000 + 30_000, now_ms=now())
        assert "in 2 h" in page(client).text


class TestMarkup:
    """What came from outside stays text."""

    def test_of_names_and_errors_is_escaped(self, client: FlaskClient, store: Store):
        error = json.dumps({"type": MARKUP, "message": MARKUP, "traceback": MARKUP})
        a_session(store, now_ms=now())
        submitted(store, MARKUP, queue=MARKUP, actor=MARKUP, now_ms=now())
        (job,) = claim(store, queues=[MARKUP], now_ms=now()).jobs
        finish(store, job, "dead_letter", reason=MARKUP, error=error, now_ms=now())
        store.open_session(MARKUP, 60_000, {"host": MARKUP, "pid": MARKUP, "threads": MARKUP}, now_ms=now())

        found = page(client)

        assert found.text.count(" ".join(MARKUP.split())) >= 6
        assert all(str(each["src"]).startswith("/static/") for each in found.all("script"))
        assert not found.all("img")


class TestPage:
    @pytest.fixture
    def full(self, client: FlaskClient, store: Store) -> Page:
        claimed(store, now_ms=now() - 100)
        finish(store, claimed(store, session="s2", now_ms=now()), "complete", now_ms=now())
        submitted(store, delay_ms=60_000)
        submitted(store, queue="other")
        return page(client)

    def test_tables_say_what_their_cells_are(self, full: Page):
        assert len(full.all("table")) == 3
        assert all(header.get("scope") in ("col", "row") for header in full.all("th"))
        roles = {"table": "table", "tr": "row", "td": "cell", "thead": "rowgroup", "tbody": "rowgroup"}
        for tag, role in roles.items():
            assert {each.get("role") for each in full.all(tag)} == {role}
        labelled = [section["aria-labelledby"] for section in full.all("section")]
        assert labelled == [heading["id"] for heading in full.all("h2") if heading["id"] != "keys-title"]

    def test_times_can_be_read_by_machines(self, full: Page):
        times = [datetime.fromisoformat(str(each["datetime"])) for each in full.all("time")]
        assert len(times) >= 5
        assert all(time.utcoffset() is not None for time in times)

    def test_scripts_and_styles_are_files(self, full: Page):
        assert not {"style", "iframe", "object"} & {tag for tag, _ in full.elements}
        assert all(each["src"] for each in full.all("script"))
        names = {name for _, attributes in full.elements for name in attributes}
        assert "style" not in names
        assert not [name for name in names if name.startswith("on")]

    def test_loads_its_style_and_icon_from_this_service(self, full: Page, client: FlaskClient):
        kinds = {"stylesheet": "text/css", "icon": "image/svg+xml", None: "text/javascript"}
        loaded = [
            (each.get("rel"), each.get("href") or each["src"])
            for each in full.all("link") + full.all("script")
        ]
        assert {rel for rel, _ in loaded} == set(kinds)
        for rel, address in loaded:
            with client.get(str(address)) as answer:
                assert answer.status_code == 200
                assert answer.content_type.startswith(kinds[rel])

    def test_may_load_nothing_else_and_is_not_stored(self, client: FlaskClient):
        answer = client.get("/")
        policy = dict(
            part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
        )
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "connect-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
        }
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Request-Id"]

    def test_only_reads(self, client: FlaskClient):
        assert client.post("/").status_code == 405


class TestTrouble:
    @pytest.fixture
    def settings(self, broken_server: EmbeddedServer, namespace: str) -> Settings:
        return Settings(redis_url=broken_server.url, namespace=namespace)

    def test_store_that_is_away_is_a_page_that_says_so_and_looks_again(
        self, client: FlaskClient, broken_server: EmbeddedServer
    ):
        broken_server.kill()
        answer = client.get("/", headers={"Accept": "text/html"})
        found = Page(answer)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Redis is away" in found.text
        assert found.refreshes
        broken_server.start()
        assert "No job yet." in page(client).text
