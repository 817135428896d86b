"""What people do is in the audit log, also what was refused, and what a dying process did not finish."""

import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.keys import ADMIN_KEY, a_key, bearer, guarded_client, made
from tests.http.test_problems import problem
from tests.http.test_scopes import asked, path_of
from worker_service.api.auditing import ENTERED, PAGES, READS_THE_LOG
from worker_service.api.scopes import SCOPES
from worker_service.broker.broker import JobBroker
from worker_service.jobs import instants
from worker_service.settings import Settings
from worker_service.store import Audit, Deed, audit


@pytest.fixture
def guarded(broker: JobBroker, settings: Settings) -> FlaskClient:
    """Asks an application that has an admin key."""
    return guarded_client(broker, settings)


@pytest.fixture
def log(broker: JobBroker) -> Audit:
    """The log itself."""
    return Audit(broker.store.client, broker.store.namespace)


def page(client: FlaskClient, **query: Any) -> dict[str, Any]:
    answer = client.get("/v1/audit", query_string=query, headers=bearer(ADMIN_KEY))
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def entries(client: FlaskClient, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = page(client, **query)["items"]
    return items


def a_deed(number: int = 0, **fields: str) -> Deed:
    given = {
        "who": "w",
        "name": "n",
        "what": "queues.pause",
        "subject": f"s{number}",
        "origin": "o",
        "why": "",
    }
    return Deed(**{**given, "request": "r", **fields})


class TestEntering:
    def test_says_who_what_when_from_where_why_and_how_it_ended(
        self, guarded: FlaskClient, broker: JobBroker
    ):
        key, secret = made(broker, "operate")
        before = time.time_ns() // 1_000_000
        headers = {**bearer(secret), "X-Request-Id": "r-1"}
        guarded.post("/v1/queues/default/pause", json={"reason": "The mail server moves."}, headers=headers)
        (entry,) = entries(guarded)
        assert before <= instants.to_ms(entry.pop("at")) <= time.time_ns() // 1_000_000
        assert entry.pop("id")
        assert entry == {
            "who": {"id": key.id, "name": "a key"},
            "what": "queues.pause",
            "subject": "POST /v1/queues/default/pause",
            "from": "127.0.0.1",
            "why": "The mail server moves.",
            "request_id": "r-1",
            "status": 204,
            "made": None,
        }

    @pytest.mark.parametrize(
        ("body", "headers", "why"),
        [
            ({"note": "Holidays."}, {}, "Holidays."),
            ({"note": "Holidays."}, {"X-Reason": "Asked by Ann."}, "Asked by Ann."),
            ({"note": 7}, {}, None),
            ({"note": "\ud800"}, {}, "?"),
            ({"note": "x" * 900}, {}, "x" * 500),
            ([], {}, None),
        ],
    )
    def test_reason_is_that_of_the_header_or_the_body(
        self, guarded: FlaskClient, body: Any, headers: dict[str, str], why: str | None
    ):
        guarded.post("/v1/schedules/s/pause", json=body, headers={**bearer(ADMIN_KEY), **headers})
        (entry,) = entries(guarded)
        assert (entry["why"], entry["what"]) == (why, "schedules.pause")
        assert 400 <= entry["status"] < 500

    def test_names_what_was_made(self, guarded: FlaskClient):
        body = {"filter": {"state": "dead"}}
        answer = guarded.post("/v1/jobs:retry", json=body, headers=bearer(ADMIN_KEY))
        (entry,) = entries(guarded)
        assert (entry["subject"], entry["made"]) == ("POST /v1/jobs:retry", answer.headers["Location"])

    def test_nobody_forgets_an_operation(self, app: Flask, client: FlaskClient):
        wanted = set()
        for rule in app.url_map.iter_rules():
            is_read = rule.endpoint == READS_THE_LOG or rule.endpoint.startswith(PAGES)
            if SCOPES[rule.endpoint] in ENTERED and not is_read:
                method = min((rule.methods or set()) - {"OPTIONS", "HEAD"})
                client.open(path_of(app, rule), method=method).close()
                wanted.add(rule.endpoint)
        assert {each["what"] for each in entries(client, limit=500)} == wanted
        assert len(list(asked(app))) > len(wanted) > 10

    def test_secret_of_a_new_key_is_not_in_it(self, guarded: FlaskClient, broker: JobBroker):
        wanted = {"name": "shop", "scopes": ["read"]}
        secret = guarded.post("/v1/keys", json=wanted, headers=bearer(ADMIN_KEY)).get_json()["key"]
        (entry,) = entries(guarded)
        assert entry["what"] == "keys.add"
        assert secret.split("_", 2)[2] not in str(broker.store.client.xrange(broker.store.keys.audit))

    def test_sending_and_reading_are_not_entered(self, guarded: FlaskClient):
        guarded.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}}, headers=bearer(ADMIN_KEY))
        guarded.get("/v1/jobs", headers=bearer(ADMIN_KEY))
        assert entries(guarded) == []

    def test_what_a_dying_process_did_stands_there_without_an_end(
        self, guarded: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        def dies(*_: object, **_more: object) -> None:
            raise SystemExit

        monkeypatch.setattr(broker.store, "pause", dies)
        with pytest.raises(SystemExit):
            guarded.post("/v1/queues/default/pause", json={"reason": "x"}, headers=bearer(ADMIN_KEY))
        (entry,) = entries(guarded)
        assert (entry["what"], entry["status"]) == ("queues.pause", None)

    def test_what_cannot_be_entered_is_not_done(
        self, guarded: FlaskClient, broker: JobBroker, monkeypatch: pytest.MonkeyPatch
    ):
        broker.store.client.set(broker.store.keys.audit, "not a log")
        answer = guarded.post("/v1/queues/default/pause", json={"reason": "x"}, headers=bearer(ADMIN_KEY))
        assert answer.status_code == 500
        assert not broker.store.client.exists(broker.store.keys.paused)

    def test_signing_in_is_entered(self, guarded: FlaskClient):
        guarded.post("/login", data={"key": ADMIN_KEY})
        (entry,) = entries(guarded)
        assert (entry["what"], entry["who"]["id"], entry["status"]) == ("login.enter", "admin", 303)


class TestRefused:
    def test_stands_in_a_log_of_its_own(self, guarded: FlaskClient, broker: JobBroker):
        key, secret = made(broker, "read")
        problem(guarded.post("/v1/queues/default/resume"), 401, "unauthorized")
        problem(guarded.post("/v1/queues/default/resume", headers=bearer(secret)), 403, "forbidden")
        problem(guarded.get("/v1/jobs", headers=bearer("x" * 20)), 401, "unauthorized")
        guarded.post("/login", data={"key": "x" * 20})
        foreign = {**bearer(ADMIN_KEY), "Origin": "https://evil.example"}
        problem(guarded.post("/v1/queues/default/resume", headers=foreign), 403, "forbidden")
        assert entries(guarded) == []
        found = [
            (each["who"]["id"], each["what"], each["status"]) for each in entries(guarded, refused="true")
        ]
        assert found == [
            ("nobody", "queues.resume", 403),
            ("nobody", "login.enter", 401),
            ("nobody", "jobs.index", 401),
            (key.id, "queues.resume", 403),
            ("nobody", "queues.resume", 401),
        ]

    def test_who_only_reads_without_a_key_is_not_entered(self, guarded: FlaskClient):
        assert guarded.get("/").status_code == 401
        assert entries(guarded, refused="true") == []

    def test_actor_that_is_not_allowed_is_an_end_like_any_other(
        self, guarded: FlaskClient, broker: JobBroker
    ):
        secret = a_key(broker, "operate", actors=["union"])
        job = {"actor": "add", "args": {"x": 1}, "every_ms": 60_000}
        assert guarded.put("/v1/schedules/s", json=job, headers=bearer(secret)).status_code == 403
        assert [(each["what"], each["status"]) for each in entries(guarded)] == [("schedules.put", 403)]

    def test_is_bounded(self, log: Audit, broker: JobBroker, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(audit, "MOST_REFUSALS", 3)
        for number in range(400):
            log.refuse(a_deed(number), "401")
        assert (
            broker.store.client.xlen(broker.store.keys.refusals) < 110
        )  # trimmed by whole nodes of the stream


class TestReading:
    def test_pages_go_through_all_of_it_once(self, guarded: FlaskClient, log: Audit):
        for number in range(7):
            log.end(log.begin(a_deed(number)), "200")
        seen: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            found = page(guarded, limit=3, **cursor)
            seen += [each["subject"] for each in found["items"]]
            if found["next_cursor"] is None:
                break
            cursor = {"cursor": found["next_cursor"]}
        assert seen == [f"s{number}" for number in range(6, -1, -1)]

    def test_filters(self, guarded: FlaskClient, log: Audit):
        log.begin(a_deed(1, who="k1", name="shop"))
        log.begin(a_deed(2, who="k2", what="queues.resume"))
        late = log.begin(a_deed(3, who="k2", what="keys.add"))
        assert [each["subject"] for each in entries(guarded, who="shop")] == ["s1"]
        assert [each["subject"] for each in entries(guarded, who="k2")] == ["s3", "s2"]
        assert [each["subject"] for each in entries(guarded, what="queues")] == ["s2", "s1"]
        assert [each["subject"] for each in entries(guarded, what="queues.resume")] == ["s2"]
        since = instants.to_text(int(late.partition("-")[0]))
        assert "s3" in [each["subject"] for each in entries(guarded, since=since)]
        assert entries(guarded, since="2100-01-01T00:00:00Z") == []

    @pytest.mark.parametrize("query", [{"limit": "0"}, {"cursor": "x"}, {"since": "today"}, {"by": "me"}])
    def test_mistakes_are_named(self, guarded: FlaskClient, query: dict[str, str]):
        answer = guarded.get("/v1/audit", query_string=query, headers=bearer(ADMIN_KEY))
        problem(answer, 422, "invalid-query")

    def test_only_administrators_read_it(self, guarded: FlaskClient, broker: JobBroker):
        secret = a_key(broker, "read", "operate", "submit")
        assert guarded.get("/v1/audit", headers=bearer(secret)).status_code == 403


def test_old_entries_go_with_their_ends(log: Audit, broker: JobBroker, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit, "MOST_ENTRIES", 5)
    for number in range(12):
        log.end(log.begin(a_deed(number)), "200")
    client, keys = broker.store.client, broker.store.keys
    assert [entry.deed.subject for entry in log.page(50)[0]] == ["s11", "s10", "s9", "s8", "s7"]
    assert client.hlen(keys.audit_ends) == client.xlen(keys.audit) == 5
    log.end("1-1", "200")
    assert client.hlen(keys.audit_ends) == 5


def test_first_end_stays(log: Audit):
    id = log.begin(a_deed())
    log.end(id, "204")
    log.end(id, "500")
    assert [entry.end for entry in log.page(1)[0]] == ["204"]
