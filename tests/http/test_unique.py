"""The field ``unique`` of a request."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from worker_service.broker.broker import JobBroker

JOB = {"actor": "add", "args": {"x": 1, "y": 2}}


def ask(
    client: FlaskClient, unique: Any, *, headers: dict[str, str] | None = None, **fields: Any
) -> TestResponse:
    return client.post("/v1/jobs", json={**JOB, "unique": unique, **fields}, headers=headers)


def test_duplicate_is_answered_with_the_job_that_is_there(client: FlaskClient):
    first = ask(client, {"on": ["/x"]})
    again = ask(client, {"on": ["/x"]}, args={"x": 1, "y": 3})
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.get_json() == {**first.get_json(), "duplicate": True}
    assert again.headers["Location"] == first.headers["Location"]
    assert len(first.get_json()["unique_key"]) == 32
    assert "duplicate" not in first.get_json()


def test_rejected_one_names_the_other_job(client: FlaskClient):
    first = ask(client, {})
    again = ask(client, {"on_conflict": "reject"})
    assert again.status_code == 409
    assert again.get_json()["type"] == "urn:worker-service:problem:duplicate-job"
    assert again.get_json()["job_id"] == first.get_json()["id"]


def test_duplicate_is_remembered_and_a_rejected_one_is_not(client: FlaskClient, broker: JobBroker):
    id = ask(client, {}).get_json()["id"]
    duplicate, rejected = {"Idempotency-Key": "d"}, {"Idempotency-Key": "r"}
    assert ask(client, {}, headers=duplicate).status_code == 200
    assert ask(client, {"on_conflict": "reject"}, headers=rejected).status_code == 409
    broker.store.cancel(id)
    again = ask(client, {}, headers=duplicate)
    assert (again.status_code, again.get_json()["id"], again.get_json()["state"]) == (202, id, "cancelled")
    assert ask(client, {"on_conflict": "reject"}, headers=rejected).status_code == 202


def test_replaced_job_shows_its_new_arguments(client: FlaskClient):
    id = ask(client, {"key": "k"}).get_json()["id"]
    again = ask(client, {"key": "k", "on_conflict": "replace"}, args={"x": 9})
    assert (again.status_code, again.get_json()["id"]) == (200, id)
    assert client.get(f"/v1/jobs/{id}").get_json()["args"] == {"x": 9}


def test_debounced_job_waits_anew(client: FlaskClient):
    debounce = {"key": "k", "on_conflict": "debounce", "max_wait_ms": 60_000}
    first = ask(client, debounce, delay_ms=5_000).get_json()
    again = ask(client, debounce, delay_ms=30_000).get_json()
    assert again["id"] == first["id"]
    assert again["run_at"] > first["run_at"]


def test_follower_says_what_it_waits_for(client: FlaskClient, broker: JobBroker):
    first = ask(client, {"key": "k"}).get_json()["id"]
    broker.store.open_session("s", 15_000, {})
    broker.store.claim("s", "1", 1, ["default"])
    follower = ask(client, {"key": "k", "on_conflict": "keep_last"})
    assert follower.status_code == 202
    assert (follower.get_json()["state"], follower.get_json()["wait_reason"]) == ("scheduled", "unique")
    shown = client.get(follower.headers["Location"]).get_json()
    assert shown == follower.get_json()
    assert client.get("/v1/jobs?state=scheduled").get_json()["items"] == [shown]
    assert client.get("/").status_code == client.get("/metrics").status_code == 200
    assert client.post(f"/v1/jobs/{first}/cancel").status_code == 202


def test_replay_while_another_job_does_the_work_is_409(client: FlaskClient, broker: JobBroker):
    first = ask(client, {"key": "k"}).get_json()["id"]
    client.post(f"/v1/jobs/{first}/cancel")
    second = ask(client, {"key": "k"}).get_json()["id"]
    answer = client.post(f"/v1/jobs/{first}/retry")
    assert (answer.status_code, answer.get_json()["job_id"]) == (409, second)
    client.post(f"/v1/jobs/{second}/cancel")
    assert client.post(f"/v1/jobs/{first}/retry").status_code == 202


def test_window_outlives_its_job(client: FlaskClient, broker: JobBroker):
    window = {"key": "k", "until": "window", "window_ms": 60_000}
    id = ask(client, window).get_json()["id"]
    client.post(f"/v1/jobs/{id}/cancel")
    broker.store.prune({"cancelled": (0, 0)})
    answer = ask(client, window)
    assert (answer.status_code, answer.get_json()["id"], answer.get_json()["state"]) == (200, id, "pruned")
    assert answer.get_json()["duplicate"] is True


@pytest.mark.parametrize(
    ("unique", "pointer"),
    [
        (True, "/unique"),
        ({"ky": "k"}, "/unique/ky"),
        ({"on": ["/z"]}, "/unique/on"),
        ({"until": "window"}, "/unique"),
        ({"key": "k", "on_conflict": "debounce"}, "/unique/on_conflict"),
        ({"key": 1}, "/unique/key"),
    ],
)
def test_mistakes_are_422(client: FlaskClient, broker: JobBroker, unique: Any, pointer: str):
    answer = ask(client, unique)
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert broker.store.client.zcard(broker.store.keys.jobs) == 0


def test_null_switches_off_what_the_actor_declares(client: FlaskClient, broker: JobBroker):
    broker.actors["add"].options["unique"] = {"key": "always"}
    first, again = client.post("/v1/jobs", json=JOB), client.post("/v1/jobs", json=JOB)
    assert (first.status_code, again.status_code) == (202, 200)
    assert ask(client, None).status_code == 202
