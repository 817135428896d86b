"""Steps over HTTP: what a job says of them, and what a person may."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from worker_service.broker.broker import JobBroker
from worker_service.jobs.steps import STEP_RESULT_LIMIT
from worker_service.store import ClaimedJob, Outcome

JOB = {"actor": "add", "args": {"x": 1}}


def running(client: FlaskClient, broker: JobBroker) -> ClaimedJob:
    """A running job that has begun its step."""
    client.post("/v1/jobs", json=JOB)
    broker.store.open_session("s", 60_000, {})
    (job,) = broker.store.claim("s", "1", 1, ["default"]).jobs
    broker.store.begin_step(job.id, job.token, "charge")
    return job


def in_doubt(client: FlaskClient, broker: JobBroker) -> str:
    """Where a dead job is found that nobody knows about whether its step happened."""
    job = running(client, broker)
    broker.store.finish([Outcome(job.id, job.token, "dead_letter", reason="unknown_outcome")])
    return f"/v1/jobs/{job.id}"


def settle(client: FlaskClient, path: str, **body: Any) -> Any:
    return client.post(f"{path}/steps/charge", json=body)


def test_job_shows_its_steps(client: FlaskClient, broker: JobBroker):
    created = client.post("/v1/jobs", json=JOB)
    assert created.get_json()["steps"] == []
    assert client.get(created.headers["Location"]).get_json()["steps"] == []
    path = in_doubt(client, broker)

    (step,) = client.get(path).get_json()["steps"]
    at = step.pop("at")
    assert at.endswith("Z")
    assert step == {"name": "charge", "state": "begun", "result": None}


def test_settled_step_is_done_with_its_result_and_the_job_is_put_back(client: FlaskClient, broker: JobBroker):
    path = in_doubt(client, broker)

    answer = settle(client, path, outcome="done", result={"id": "ch_1", "empty": []})
    assert answer.status_code == 200
    (step,) = answer.get_json()["steps"]
    assert (step["state"], step["result"]) == ("done", {"id": "ch_1", "empty": []})

    assert client.post(f"{path}/retry").get_json()["steps"] == [step]


def test_step_that_was_not_done_is_gone(client: FlaskClient, broker: JobBroker):
    path = in_doubt(client, broker)
    assert settle(client, path, outcome="not_done").get_json()["steps"] == []
    again = settle(client, path, outcome="not_done")
    assert again.status_code == 404
    assert again.get_json()["type"] == "urn:worker-service:problem:unknown-step"


def test_what_is_known_is_a_conflict(client: FlaskClient, broker: JobBroker):
    path = in_doubt(client, broker)
    settle(client, path, outcome="done", result=1)
    answer = settle(client, path, outcome="not_done")
    assert answer.status_code == 409
    assert answer.get_json()["type"] == "urn:worker-service:problem:not-settleable"
    assert "done already" in answer.get_json()["detail"]


def test_running_job_is_a_conflict(client: FlaskClient, broker: JobBroker):
    job = running(client, broker)
    answer = settle(client, f"/v1/jobs/{job.id}", outcome="done")
    assert answer.status_code == 409
    assert "is running" in answer.get_json()["detail"]


def test_unknown_job_is_404(client: FlaskClient):
    answer = settle(client, "/v1/jobs/unknown", outcome="done")
    assert answer.get_json()["type"] == "urn:worker-service:problem:unknown-job"


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({}, "/outcome", "'outcome' is missing"),
        ({"outcome": "perhaps"}, "/outcome", "'done' or 'not_done'"),
        ({"outcome": "done", "resutl": 1}, "/resutl", "Did you mean 'result'?"),
        ({"outcome": "not_done", "result": None}, "", "has no result"),
        ({"outcome": "done", "result": "x" * STEP_RESULT_LIMIT}, "/result", "at most 8192"),
    ],
)
def test_wrong_request_is_422(
    client: FlaskClient, broker: JobBroker, body: dict[str, Any], pointer: str, detail: str
):
    path = in_doubt(client, broker)
    answer = settle(client, path, **body)
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert error["pointer"] == pointer
    assert detail in error["detail"]
    assert client.get(path).get_json()["steps"][0]["state"] == "begun"
