"""`Prefer: wait`, `ETag` and results."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.store.builders import a_session, claim, outcome
from tests.waiting import wait_until
from worker_service.api.waiting import Waiting
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.web import WAITING, create_app

ADD = {"actor": "add", "args": {"x": 1}}


@pytest.fixture
def work(broker: JobBroker) -> Callable[..., None]:
    """Does one job of the default queue, once there is one."""
    a_session(broker.store)

    def work_once(verb: str = "complete", **fields: Any) -> None:
        (job,) = wait_until(lambda: claim(broker.store, n=1, now_ms=None).jobs)
        assert broker.store.finish([outcome(job, verb, **fields)]) == ["done"]

    return work_once


def later(call: Callable[[], object]) -> None:
    """On another thread, when somebody may be waiting already."""
    threading.Timer(0.1, call).start()


def posted(client: FlaskClient, **fields: Any) -> str:
    answer = client.post("/v1/jobs", json={**ADD, **fields})
    assert answer.status_code == 202
    return str(answer.headers["Location"])


class TestPost:
    def test_answer_is_the_job_when_it_has_ended(self, client: FlaskClient, work: Callable[..., None]):
        later(lambda: work(result="5"))

        answer = client.post("/v1/jobs", json=ADD, headers={"Prefer": "wait=30"})

        assert (answer.status_code, answer.get_json()["state"], answer.get_json()["result"]) == (
            202,
            "succeeded",
            5,
        )
        assert answer.headers["Preference-Applied"] == "wait=30"
        assert answer.headers["Location"] == answer.get_json()["links"]["self"]

    def test_answer_is_the_job_as_it_stands_when_the_time_is_up(self, client: FlaskClient):
        started = time.monotonic()

        answer = client.post("/v1/jobs", json=ADD, headers={"Prefer": "wait=1"})

        assert time.monotonic() - started >= 1
        assert (answer.status_code, answer.get_json()["state"]) == (202, "queued")
        assert answer.headers["Preference-Applied"] == "wait=1"

    def test_a_repeated_request_waits_for_the_same_job(self, client: FlaskClient, work: Callable[..., None]):
        headers = {"Idempotency-Key": "k", "Prefer": "wait=30"}
        later(lambda: work(result="5"))
        first = client.post("/v1/jobs", json=ADD, headers=headers)
        again = client.post("/v1/jobs", json=ADD, headers=headers)

        assert again.get_json() == first.get_json()
        assert again.headers["Idempotent-Replayed"] == "true"

    def test_a_duplicate_waits_for_the_job_that_does_the_work(
        self, client: FlaskClient, work: Callable[..., None]
    ):
        id = posted(client, unique={"key": "k"}).rpartition("/")[2]
        later(lambda: work(result="5"))

        answer = client.post("/v1/jobs", json={**ADD, "unique": {"key": "k"}}, headers={"Prefer": "wait=30"})

        assert answer.status_code == 200
        assert (answer.get_json()["id"], answer.get_json()["result"], answer.get_json()["duplicate"]) == (
            id,
            5,
            True,
        )

    def test_a_refused_request_is_refused_at_once(self, client: FlaskClient):
        answer = client.post("/v1/jobs", json={"actor": "ad"}, headers={"Prefer": "wait=30"})
        assert answer.status_code == 422


class TestGet:
    def test_answer_comes_when_the_job_has_ended(self, client: FlaskClient, work: Callable[..., None]):
        path = posted(client)
        later(lambda: work("dead_letter", reason="permanent"))

        answer = client.get(path, headers={"Prefer": "respond-async, wait=30"})

        assert (answer.status_code, answer.get_json()["state"]) == (200, "dead")
        assert answer.headers["Preference-Applied"] == "wait=30"

    def test_a_job_that_has_ended_is_answered_at_once(self, client: FlaskClient, work: Callable[..., None]):
        path = posted(client)
        work()
        answer = client.get(path, headers={"Prefer": "wait=30"})
        assert answer.headers["Preference-Applied"] == "wait=30"

    def test_it_waits_a_minute_at_most(self, client: FlaskClient, work: Callable[..., None]):
        path = posted(client)
        later(work)
        answer = client.get(path, headers={"Prefer": "wait=3600"})
        assert answer.headers["Preference-Applied"] == "wait=60"

    @pytest.mark.parametrize(
        "prefer", ["wait=0", "wait=x", "wait=-1", "wait", "wait=1.5", "return=minimal", ""]
    )
    def test_other_preferences_are_no_reason_to_wait(self, client: FlaskClient, prefer: str):
        answer = client.get(posted(client), headers={"Prefer": prefer})
        assert answer.status_code == 200
        assert "Preference-Applied" not in answer.headers

    def test_an_unknown_job_is_not_waited_for(self, client: FlaskClient):
        assert client.get("/v1/jobs/nope", headers={"Prefer": "wait=30"}).status_code == 404

    def test_a_job_that_is_removed_meanwhile_is_unknown(self, client: FlaskClient, broker: JobBroker):
        path = posted(client)
        id = path.rpartition("/")[2]

        def remove() -> None:
            broker.store.client.delete(broker.store.keys.job(id))  # before its end was heard of
            broker.store.client.publish(broker.store.keys.event(id), "removed")

        later(remove)
        assert client.get(path, headers={"Prefer": "wait=30"}).status_code == 404


class TestETag:
    def test_it_is_304_while_the_job_is_the_same(self, client: FlaskClient, work: Callable[..., None]):
        path = posted(client)
        tag = client.get(path).headers["ETag"]
        same = client.get(path, headers={"If-None-Match": tag})
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)

        work()

        changed = client.get(path, headers={"If-None-Match": tag})
        assert changed.status_code == 200
        assert changed.headers["ETag"] != tag


class TestResult:
    @pytest.mark.parametrize("value", ["5", "null", "[]", '{"a":{}}'])
    def test_it_is_what_the_actor_returned(self, client: FlaskClient, work: Callable[..., None], value: str):
        path = posted(client)
        work(result=value)
        answer = client.get(f"{path}/result")
        assert answer.status_code == 200
        assert answer.data.decode().strip() == f'{{"result":{value}}}'

    def test_before_the_end_there_is_none(self, client: FlaskClient):
        answer = client.get(f"{posted(client)}/result")
        assert (answer.status_code, answer.get_json()["type"]) == (
            409,
            "urn:worker-service:problem:job-not-finished",
        )
        assert "queued" in answer.get_json()["detail"]

    def test_of_a_dead_job_there_is_none(self, client: FlaskClient, work: Callable[..., None]):
        path = posted(client)
        work("dead_letter", reason="permanent")
        answer = client.get(f"{path}/result")
        assert answer.status_code == 409
        assert answer.get_json()["type"] == "urn:worker-service:problem:job-not-succeeded"
        assert "dead (permanent)" in answer.get_json()["detail"]

    def test_of_no_job_there_is_none(self, client: FlaskClient):
        assert client.get("/v1/jobs/nope/result").status_code == 404


class TestSeats:
    @pytest.fixture
    def settings(self, redis_url: str, namespace: str) -> Settings:
        return Settings(redis_url=redis_url, namespace=namespace, http_threads=16)

    def test_half_of_the_threads_may_wait(self, app: Flask):
        waiting: Waiting = app.extensions[WAITING]
        assert waiting.most == 8

    def test_without_a_seat_the_answer_comes_at_once_and_says_so(self, app: Flask, client: FlaskClient):
        waiting: Waiting = app.extensions[WAITING]
        path = posted(client)
        seats = [waiting.seat() for _ in range(8)]
        for seat in seats:
            seat.__enter__()

        got = client.get(path, headers={"Prefer": "wait=60"})
        made = client.post("/v1/jobs", json=ADD, headers={"Prefer": "wait=60"})

        assert (got.status_code, made.status_code) == (200, 202)
        assert "Preference-Applied" not in got.headers
        assert "Preference-Applied" not in made.headers
        for seat in seats:
            seat.__exit__(None, None, None)
        assert "Preference-Applied" in client.get(path, headers={"Prefer": "wait=1"}).headers

    def test_a_stop_answers_who_waits_at_once_and_says_so(self, app: Flask, client: FlaskClient):
        waiting: Waiting = app.extensions[WAITING]
        path = posted(client)
        later(waiting.stop)

        first = client.get(path, headers={"Prefer": "wait=60"})
        late = client.get(path, headers={"Prefer": "wait=60"})

        assert (first.status_code, late.status_code) == (200, 200)
        assert "Preference-Applied" not in {*first.headers.keys(), *late.headers.keys()}


def test_a_created_job_is_answered_although_redis_goes_away_while_it_is_waited_for(
    broken_server: Any, broker: JobBroker, namespace: str
):
    settings = Settings(redis_url=broken_server.url, namespace=namespace)
    other = JobBroker(settings, [])
    other.declare_actor(broker.actors["add"])
    client = create_app(other, settings).test_client()
    later(broken_server.kill)

    answer = client.post("/v1/jobs", json=ADD, headers={"Prefer": "wait=1"})

    assert answer.status_code == 202
    assert "Preference-Applied" not in answer.headers
    other.close()
