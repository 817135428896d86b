"""Streams of server-sent events."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.keys import ADMIN_KEY, bearer, guarded_client, made
from tests.http.sse import Event, events
from tests.store.builders import LEASE, RUN_ID, a_session, claim, outcome
from tests.waiting import wait_until
from worker_service.api import streams
from worker_service.api.waiting import Waiting
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.settings import Settings
from worker_service.store import ClaimedJob, Store
from worker_service.web import WAITING, create_app

ADD = {"actor": "add", "args": {"x": 1}}


@pytest.fixture
def store(broker: JobBroker) -> Store:
    """With one worker process."""
    a_session(broker.store, now_ms=now())
    return broker.store


@pytest.fixture
def path(client: FlaskClient) -> str:
    """Of a job that waits."""
    return str(client.post("/v1/jobs", json=ADD).headers["Location"])


def started(store: Store, session: str = "s1") -> ClaimedJob:
    """The next job, once it is due."""
    (job,) = wait_until(lambda: claim(store, n=1, session=session, now_ms=None).jobs)
    return job


def finish(store: Store, job: ClaimedJob, verb: str, **fields: Any) -> None:
    assert store.finish([outcome(job, verb, **fields)]) == ["done"]


def now() -> int:
    return time.time_ns() // 1_000_000


def opened(client: FlaskClient, path: str, after: str | None = None) -> Iterator[Event]:
    headers = {} if after is None else {"Last-Event-ID": after}
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.data
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    return events(answer.response)  # type: ignore[arg-type]


def read_to_end(client: FlaskClient, path: str, after: str | None = None) -> list[Event]:
    return list(opened(client, f"{path}/events", after))


def told(found: list[Event]) -> list[tuple[str, Any]]:
    """Names, and what of the data names the event."""
    keys = {"state": "state", "log": "line", "progress": "percent", "done": "state"}
    return [(event.name, event.data[keys[event.name]]) for event in found]


class TestJob:
    def test_what_happens_is_told_as_it_happens(self, client: FlaskClient, store: Store, path: str):
        stream = opened(client, f"{path}/events")
        assert next(stream).data["state"] == "queued"
        job = started(store)
        running = next(stream)
        assert (running.name, running.data["state"], running.data["number"]) == ("state", "running", 1)
        store.log(job.id, job.token, "a line")
        line = next(stream)
        assert (line.name, line.data["line"], line.data["number"]) == ("log", "a line", 1)
        store.progress(job.id, job.token, '{"percent":40,"note":"half"}')
        assert next(stream).data == {"percent": 40, "note": "half"}
        finish(store, job, "complete", result="7")
        assert next(stream).data["state"] == "succeeded"
        done = next(stream)
        assert (done.name, done.data) == ("done", client.get(path).get_json())
        assert list(stream) == []

    def test_of_a_job_that_has_ended_it_tells_state_lines_and_end(
        self, client: FlaskClient, store: Store, path: str
    ):
        job = started(store)
        store.log(job.id, job.token, "a")
        store.log(job.id, job.token, "b")
        finish(store, job, "complete")

        assert told(read_to_end(client, path)) == [
            ("log", "a"),
            ("log", "b"),
            ("state", "succeeded"),
            ("done", "succeeded"),
        ]

    def test_who_comes_back_after_any_event_gets_exactly_the_others(
        self, client: FlaskClient, store: Store, path: str
    ):
        """A stream is read while a job is retried, snoozed, crashes and ends; then it goes on from each event."""
        stream = opened(client, f"{path}/events")
        whole = [next(stream)]

        def until(name: str, word: Any) -> None:
            while told(whole)[-1] != (name, word):
                whole.append(next(stream))

        for number, verb in enumerate(("retry", "snooze", "retry")):
            job = started(store)
            until("state", "running")
            store.log(job.id, job.token, f"line {number}")
            until("log", f"line {number}")
            store.progress(job.id, job.token, f'{{"percent":{number},"note":""}}')
            until("progress", number)
            finish(store, job, verb, delay_ms=1, reason="retry")
            until("state", "scheduled" if verb == "snooze" else "retrying")
        started(store)
        until("state", "running")
        store.rescue(LEASE, RUN_ID, session="s1")
        until("state", "retrying")
        a_session(store, "s2", now_ms=now())
        job = started(store, "s2")
        until("state", "running")
        finish(store, job, "dead_letter", reason="permanent")
        until("done", "dead")

        for seen, event in enumerate(whole[:-1]):
            rest = told(read_to_end(client, path, event.id))
            newest_progress = [one for one in told(whole[seen + 1 :]) if one[0] == "progress"][-1:]
            kept = [
                one for one in told(whole[seen + 1 :]) if one[0] != "progress" and one != ("state", "queued")
            ]
            assert [one for one in rest if one[0] != "progress"] == kept
            assert [one for one in rest if one[0] == "progress"] == newest_progress
        assert len(whole) == len({event.id for event in whole})

    def test_who_was_told_of_the_end_is_told_not_to_come_again(
        self, client: FlaskClient, store: Store, path: str
    ):
        finish(store, started(store), "complete")
        last = read_to_end(client, path)[-1]
        assert last.name == "done"

        answer = client.get(f"{path}/events", headers={"Last-Event-ID": str(last.id)})

        assert (answer.status_code, answer.data) == (204, b"")

    def test_who_missed_only_the_end_gets_it(self, client: FlaskClient, store: Store, path: str):
        finish(store, started(store), "complete")
        before_last = read_to_end(client, path)[-2]
        assert told(read_to_end(client, path, before_last.id)) == [("done", "succeeded")]

    def test_a_job_that_was_put_back_goes_on_after_its_end(
        self, client: FlaskClient, store: Store, path: str
    ):
        job = started(store)
        finish(store, job, "dead_letter", reason="permanent")
        last = read_to_end(client, path)[-1]
        client.post(f"{path}/retry")
        finish(store, started(store), "complete")

        assert told(read_to_end(client, path, last.id)) == [
            ("state", "running"),
            ("state", "succeeded"),
            ("done", "succeeded"),
        ]

    @pytest.mark.parametrize("id", ["", "nonsense", "1.running.-.99999999999999999999-0", "1.odd.-.0-0", "é"])
    def test_an_odd_id_means_from_the_beginning(self, client: FlaskClient, store: Store, path: str, id: str):
        finish(store, started(store), "complete")
        assert told(read_to_end(client, path, id)) == [("state", "succeeded"), ("done", "succeeded")]

    def test_a_job_that_is_removed_ends_the_stream(self, client: FlaskClient, store: Store, path: str):
        stream = opened(client, f"{path}/events")
        assert next(stream).data["state"] == "queued"
        id = path.rpartition("/")[2]
        store.cancel(id)
        store.delete([id])
        assert list(stream)[-1].data["state"] in ("pruned", "cancelled")

    def test_of_no_job_there_is_no_stream(self, client: FlaskClient):
        assert client.get("/v1/jobs/nope/events").status_code == 404

    def test_a_lost_connection_to_redis_loses_nothing(self, client: FlaskClient, store: Store, path: str):
        stream = opened(client, f"{path}/events")
        next(stream)
        store.client.client_kill_filter(_type="pubsub")
        finish(store, started(store), "complete")
        assert told(list(stream))[-1] == ("done", "succeeded")


class TestChanges:
    def test_at_the_beginning_anything_may_have_changed(self, client: FlaskClient):
        stream = opened(client, "/v1/events")
        assert [next(stream).name for _ in range(4)] == ["jobs", "queues", "workers", "schedules"]

    def test_then_what_changes_is_named_without_data(self, client: FlaskClient, broker: JobBroker):
        stream = opened(client, "/v1/events")
        for _ in range(4):
            next(stream)
        broker.store.pause("default", "why", 0)
        assert next(stream) == Event("queues", None, None)
        client.post("/v1/jobs", json=ADD)
        assert next(stream) == Event("jobs", None, None)

    def test_much_that_changes_at_once_is_one_event(self, client: FlaskClient, broker: JobBroker):
        stream = opened(client, "/v1/events")
        for _ in range(4):
            next(stream)
        for _ in range(100):
            client.post("/v1/jobs", json=ADD)
        broker.store.pause("default", "why", 0)
        names = []
        while "queues" not in names:
            names.append(next(stream).name)
        assert len(names) < 10


class TestStream:
    def test_it_ends_after_a_while_and_says_when_to_come_again(
        self, client: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(streams, "STREAM_SECONDS", 0.2)
        text = client.get(f"{path}/events").data.decode()
        assert text.startswith("retry: ")
        assert "event: done" not in text

    def test_it_shows_that_it_lives(self, client: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.01)
        monkeypatch.setattr(streams, "STREAM_SECONDS", 0.5)
        assert client.get(f"{path}/events").data.decode().count("\n:\n") > 1

    @pytest.mark.parametrize("path", ["/v1/events", "/v1/jobs/{id}/events"])
    def test_a_key_that_is_revoked_opens_none_and_ends_those_it_has_opened(
        self, broker: JobBroker, store: Store, settings: Settings, path: str
    ):
        guarded = guarded_client(broker, settings)
        key, secret = made(broker, "read", "submit")
        id = guarded.post("/v1/jobs", json=ADD, headers=bearer(secret)).get_json()["id"]
        answer = guarded.get(path.format(id=id), headers=bearer(secret))
        told = iter(answer.response)
        assert "event: " in str(next(told)) + str(next(told))
        assert guarded.delete(f"/v1/keys/{key.id}", headers=bearer(ADMIN_KEY)).status_code == 204
        store.cancel(id)
        assert list(told) == []

    def test_a_stop_ends_it(self, app: Flask, client: FlaskClient, path: str):
        waiting: Waiting = app.extensions[WAITING]
        threading.Timer(0.1, waiting.stop).start()
        assert b"event: done" not in client.get(f"{path}/events").data
        assert client.get("/v1/events").status_code == 503

    def test_head_waits_for_nothing(self, client: FlaskClient, path: str):
        answer = client.head(f"{path}/events")
        assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")

    def test_without_redis_there_is_none(
        self, broken_server: EmbeddedServer, namespace: str, broker: JobBroker
    ):
        settings = Settings(redis_url=broken_server.url, namespace=namespace)
        other = JobBroker(settings, [])
        client = create_app(other, settings).test_client()
        broken_server.kill()
        assert client.get("/v1/events").status_code == 503
        other.close()


class TestSeats:
    @pytest.fixture
    def settings(self, redis_url: str, namespace: str) -> Settings:
        return Settings(redis_url=redis_url, namespace=namespace, http_threads=16)

    def test_one_more_than_may_is_told_to_come_later(self, client: FlaskClient):
        answers = [client.get("/v1/events") for _ in range(9)]

        assert [answer.status_code for answer in answers] == [200] * 8 + [503]
        assert answers[8].headers["Retry-After"] == "2"
        assert answers[8].get_json()["type"] == "urn:worker-service:problem:too-many-waiting"

        answers[0].close()
        assert client.get("/v1/events").status_code == 200
