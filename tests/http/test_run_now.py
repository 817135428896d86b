"""A job that waits for its time is let run before it."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.store import Outcome

JOB = {"actor": "add", "args": {"x": 1}}


def claimed(broker: JobBroker) -> Any:
    broker.store.open_session("s", 60_000, {})
    (job,) = broker.store.claim("s", "1", 1, ["default"]).jobs
    return job


def test_scheduled_job_is_queued_and_again(client: FlaskClient):
    path = client.post("/v1/jobs", json={**JOB, "delay_ms": 60_000}).headers["Location"]
    for _ in range(2):
        answer = client.post(f"{path}/run-now")
        job = answer.get_json()
        assert (answer.status_code, job["state"], job["wait_reason"]) == (202, "queued", None)
        assert job == client.get(path).get_json()


def test_retrying_job_is_queued(client: FlaskClient, broker: JobBroker):
    path = client.post("/v1/jobs", json=JOB).headers["Location"]
    job = claimed(broker)
    broker.store.finish([Outcome(job.id, job.token, "retry", delay_ms=60_000, reason="retry")])
    answer = client.post(f"{path}/run-now")
    assert (answer.status_code, answer.get_json()["state"]) == (202, "queued")


def test_running_job_and_a_finished_one_are_conflicts(client: FlaskClient, broker: JobBroker):
    path = client.post("/v1/jobs", json=JOB).headers["Location"]
    job = claimed(broker)
    assert "is running already" in problem(client.post(f"{path}/run-now"), 409, "job-not-waiting")["detail"]

    broker.store.finish([Outcome(job.id, job.token, "complete")])
    assert "succeeded" in problem(client.post(f"{path}/run-now"), 409, "job-finished")["detail"]


def test_job_that_waits_for_another_one_is_refused_with_the_reason(client: FlaskClient, broker: JobBroker):
    unique = {"key": "k", "on_conflict": "keep_last"}
    client.post("/v1/jobs", json={**JOB, "unique": unique})
    claimed(broker)
    path = client.post("/v1/jobs", json={**JOB, "unique": unique}).headers["Location"]
    answer = client.post(f"{path}/run-now")
    assert "another job that does the same work" in problem(answer, 409, "job-not-waiting")["detail"]


@pytest.mark.parametrize("body", [None, {}])
def test_unknown_job_is_404(client: FlaskClient, body: Any):
    problem(client.post("/v1/jobs/unknown/run-now", json=body), 404, "unknown-job")
