"""Cancelling over HTTP, and putting back."""

from flask.testing import FlaskClient

from worker_service.broker.broker import JobBroker
from worker_service.store import Outcome

JOB = {"actor": "add", "args": {"x": 1}}


def test_waiting_job_is_cancelled_at_once_and_again(client: FlaskClient):
    path = client.post("/v1/jobs", json=JOB).headers["Location"]
    for _ in range(2):
        answer = client.post(f"{path}/cancel")
        assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelled")


def test_running_job_is_told_and_a_finished_one_is_a_conflict(client: FlaskClient, broker: JobBroker):
    path = client.post("/v1/jobs", json=JOB).headers["Location"]
    broker.store.open_session("s", 60_000, {})
    (job,) = broker.store.claim("s", "1", 1, ["default"]).jobs
    answer = client.post(f"{path}/cancel")
    assert (answer.status_code, answer.get_json()["state"]) == (202, "running")

    broker.store.finish([Outcome(job.id, job.token, "complete")])
    answer = client.post(f"{path}/cancel")
    assert answer.status_code == 409
    assert answer.get_json()["type"] == "urn:worker-service:problem:job-finished"
    assert "succeeded" in answer.get_json()["detail"]


def test_unknown_job_is_404(client: FlaskClient):
    assert client.post("/v1/jobs/unknown/cancel").status_code == 404


def test_cancelled_job_is_put_back_once(client: FlaskClient):
    path = client.post("/v1/jobs", json=JOB).headers["Location"]
    client.post(f"{path}/cancel")
    answer = client.post(f"{path}/retry")
    assert (answer.status_code, answer.get_json()["state"]) == (202, "queued")
    again = client.post(f"{path}/retry")
    assert again.status_code == 409
    assert "is queued: only dead and cancelled jobs" in again.get_json()["detail"]
    assert client.post("/v1/jobs/unknown/retry").status_code == 404
