"""The same request twice is one job."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient

from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.web import create_app

JOB = {"actor": "add", "args": {"x": 1, "y": 2}}
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def jobs_in(broker: JobBroker) -> int:
    """How many jobs there are."""
    return int(broker.store.client.zcard(broker.store.keys.jobs))


def test_repeated_request_gets_the_first_job(client: FlaskClient, broker: JobBroker):
    first = client.post("/v1/jobs", json=JOB, headers=KEY)
    again = client.post("/v1/jobs", json=JOB, headers=KEY)
    job = first.get_json()
    assert (first.status_code, again.status_code) == (202, 202)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert again.get_json() == {
        name: job[name] for name in ("id", "actor", "queue", "created_at", "state", "links")
    }
    assert jobs_in(broker) == 1


def test_replay_tells_the_state_of_now(client: FlaskClient, broker: JobBroker):
    id = client.post("/v1/jobs", json=JOB, headers=KEY).get_json()["id"]
    broker.store.cancel(id)
    assert client.post("/v1/jobs", json=JOB, headers=KEY).get_json()["state"] == "cancelled"
    broker.store.prune({"cancelled": (0, 0)})
    assert client.post("/v1/jobs", json=JOB, headers=KEY).get_json()["state"] == "pruned"


@pytest.mark.parametrize("path", ["/v1/jobs", "/jobs"])
def test_spelling_of_the_body_does_not_matter(client: FlaskClient, path: str):
    client.post("/v1/jobs", json=JOB, headers=KEY)
    for x in ("1", "1.0", "1e0"):
        body = '{ "args": {"y": 2,\n "x": ' + x + '}, "actor": "add" }'
        again = client.post(path, data=body, headers=KEY, content_type="application/json")
        assert again.headers["Idempotent-Replayed"] == "true"


def test_same_key_for_another_request_is_422(client: FlaskClient, broker: JobBroker):
    client.post("/v1/jobs", json=JOB, headers=KEY)
    answer = client.post("/v1/jobs", json={**JOB, "priority": 1}, headers=KEY)
    assert answer.status_code == 422
    assert answer.get_json()["type"] == "urn:worker-service:problem:idempotency-key-reused"
    assert jobs_in(broker) == 1


def test_quoted_and_bare_key_are_the_same(client: FlaskClient, broker: JobBroker):
    client.post("/v1/jobs", json=JOB, headers={"Idempotency-Key": "abc"})
    again = client.post("/v1/jobs", json=JOB, headers={"Idempotency-Key": '"abc"'})
    assert again.headers["Idempotent-Replayed"] == "true"
    client.post("/v1/jobs", json=JOB, headers={"Idempotency-Key": r'"a\"c"'})
    assert jobs_in(broker) == 2


@pytest.mark.parametrize(
    "key", ["", '""', '"', '"a', "a b", '"a b"', "é", "a,b", "a" * 256, f'"{"a" * 256}"', r'"a\b"']
)
def test_malformed_key_is_400(client: FlaskClient, broker: JobBroker, key: str):
    answer = client.post("/v1/jobs", json=JOB, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert "1 to 255 visible ASCII characters" in answer.get_json()["detail"]
    assert jobs_in(broker) == 0


def test_two_keys_are_400(client: FlaskClient):
    answer = client.post("/v1/jobs", json=JOB, headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")])
    assert answer.status_code == 400


def test_refused_request_leaves_the_key_free(client: FlaskClient):
    assert client.post("/v1/jobs", json={"actor": "add", "args": {}}, headers=KEY).status_code == 422
    late = {**JOB, "expires_at": "2001-01-01T00:00:00Z"}
    assert client.post("/v1/jobs", json=late, headers=KEY).status_code == 422
    assert "Idempotent-Replayed" not in client.post("/v1/jobs", json=JOB, headers=KEY).headers


def test_key_can_be_required(broker: JobBroker, settings: Settings):
    strict = settings.model_copy(update={"require_idempotency_key": True})
    client = create_app(broker, strict).test_client()
    answer = client.post("/v1/jobs", json=JOB)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.get_json()["detail"]
    assert client.post("/v1/jobs", json=JOB, headers=KEY).status_code == 202


def test_many_at_once_make_one_job(app: Flask, broker: JobBroker):
    def post(_: int) -> tuple[str, bool]:
        answer = app.test_client().post("/v1/jobs", json=JOB, headers=KEY)
        return answer.get_json()["id"], "Idempotent-Replayed" in answer.headers

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(40)))
    assert len({id for id, _ in answers}) == 1
    assert sum(not replayed for _, replayed in answers) == 1
    assert jobs_in(broker) == 1
