"""POST a job, and read it back."""

import re
import time
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis.connection import AbstractConnection

from worker_service.broker.broker import JobBroker

JOB = {"actor": "add", "args": {"x": 1, "y": 2}}
UUID_7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


class TestAccepted:
    def test_answer_is_202_with_the_job_and_where_to_find_it(self, client: FlaskClient):
        answer = client.post("/v1/jobs", json=JOB)
        job = answer.get_json()
        assert answer.status_code == 202
        assert re.fullmatch(UUID_7, job["id"])
        assert answer.headers["Location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
        assert (job["actor"], job["queue"], job["state"]) == ("add", "default", "queued")
        assert job["args"] == {"x": 1, "y": 2}

    @pytest.mark.parametrize("more", [{}, {"delay_ms": 60_000}, {"expires_in_ms": 5_000, "priority": -3}])
    def test_job_in_the_answer_is_the_job_in_the_store(self, client: FlaskClient, more: dict[str, int]):
        answer = client.post("/v1/jobs", json={**JOB, **more})
        stored = client.get(answer.headers["Location"]).get_json()
        assert answer.get_json() == stored

    def test_short_paths_are_the_same(self, client: FlaskClient):
        id = client.post("/jobs", json=JOB).get_json()["id"]
        assert client.get(f"/jobs/{id}").get_json() == client.get(f"/v1/jobs/{id}").get_json()

    def test_one_round_trip_creates_a_job(self, client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
        client.post("/v1/jobs", json=JOB)  # connects, and loads the script
        sent: list[Any] = []
        send = AbstractConnection.send_packed_command

        def spy(connection: AbstractConnection, command: Any, *args: Any, **kwargs: Any) -> None:
            sent.append(command)
            send(connection, command, *args, **kwargs)

        monkeypatch.setattr(AbstractConnection, "send_packed_command", spy)
        assert client.post("/v1/jobs", json=JOB).status_code == 202
        assert len(sent) == 1

    def test_what_is_not_said_is_as_the_actor_declares(self, client: FlaskClient):
        job = client.post("/v1/jobs", json=JOB).get_json()
        assert (job["priority"], job["max_attempts"]) == (7, 4)

    def test_what_is_said_wins(self, client: FlaskClient, broker: JobBroker):
        more = {"priority": -100, "max_attempts": 1, "time_limit_ms": 5000, "queue": "other"}
        id = client.post("/v1/jobs", json={**JOB, **more}).get_json()["id"]
        job = broker.reads.job(id)
        assert job is not None
        assert (job.priority, job.max_attempts, job.queue) == (-100, 1, "other")
        assert job.message["options"] == {"time_limit": 5000}

    def test_run_at_is_the_instant_that_was_asked_for(self, client: FlaskClient):
        answer = client.post("/v1/jobs", json={**JOB, "run_at": "2099-01-31T12:00:00.5+01:00"})
        job = client.get(answer.headers["Location"]).get_json()
        assert (job["state"], job["wait_reason"]) == ("scheduled", "asked")
        assert job["run_at"] == answer.get_json()["run_at"] == "2099-01-31T11:00:00.500Z"

    def test_run_at_in_the_past_is_now(self, client: FlaskClient):
        answer = client.post("/v1/jobs", json={**JOB, "run_at": "2001-01-01T00:00:00Z"})
        assert client.get(answer.headers["Location"]).get_json()["state"] == "queued"

    def test_delay_counts_from_now(self, client: FlaskClient):
        answer = client.post("/v1/jobs", json={**JOB, "delay_ms": 3_600_000})
        job = client.get(answer.headers["Location"]).get_json()
        assert job["state"] == "scheduled"
        assert abs(datetime.fromisoformat(job["run_at"]).timestamp() - time.time() - 3600) < 60

    @pytest.mark.parametrize("name", ["run_at", "expires_at"])
    def test_instant_beyond_a_century_is_refused(self, client: FlaskClient, name: str):
        answer = client.post("/v1/jobs", json={**JOB, name: "9999-12-31T23:59:59Z"})
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == f"/{name}"

    @pytest.mark.parametrize(
        "when",
        [
            {"expires_at": "2001-01-01T00:00:00Z"},
            {"expires_in_ms": 1000, "delay_ms": 2000},
            {"expires_at": "2099-01-01T00:00:00Z", "run_at": "2099-01-01T00:00:00Z"},
        ],
    )
    def test_job_that_would_expire_before_it_starts_is_refused(
        self, client: FlaskClient, when: dict[str, Any]
    ):
        answer = client.post("/v1/jobs", json={**JOB, **when})
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["code"] == "too_late"

    def test_expires_at_is_kept(self, client: FlaskClient):
        answer = client.post("/v1/jobs", json={**JOB, "expires_at": "2099-01-01T00:00:00Z"})
        job = client.get(answer.headers["Location"]).get_json()
        assert job["expires_at"] == "2099-01-01T00:00:00.000Z"

    def test_integral_float_is_an_integer(self, client: FlaskClient):
        answer = client.post(
            "/v1/jobs",
            data='{"actor": "add", "args": {"x": 1.0}, "priority": 2.0}',
            content_type="application/json",
        )
        job = client.get(answer.headers["Location"]).get_json()
        assert (job["args"], job["priority"]) == ({"x": 1}, 2)
        assert isinstance(job["args"]["x"], int)


class TestReading:
    def test_arguments_sent_by_position_have_names(self, client: FlaskClient, broker: JobBroker):
        message = broker.get_actor("add").send(1, y=5)
        assert client.get(f"/v1/jobs/{message.message_id}").get_json()["args"] == {"x": 1, "y": 5}

    @pytest.mark.parametrize("id", ["01900000-0000-7000-8000-000000000000", "x", "%00", "%ff", "a" * 5000])
    def test_unknown_job_is_404_and_says_how_long_jobs_are_kept(self, client: FlaskClient, id: str):
        answer = client.get(f"/v1/jobs/{id}")
        assert answer.status_code == 404
        assert answer.get_json()["type"] == "urn:worker-service:problem:unknown-job"
        assert "succeeded 24 h" in answer.get_json()["detail"]


class TestHealth:
    @pytest.mark.parametrize("path", ["/livez", "/readyz"])
    def test_healthy_process_says_ok(self, client: FlaskClient, path: str):
        assert client.get(path).get_json() == {"status": "ok"}
