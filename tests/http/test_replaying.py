"""One job is run again over HTTP, as it was or with other arguments; and removed."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.test_failures import died
from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker

JOB = {"actor": "add", "args": {"x": 1}}


class TestAsItWas:
    @pytest.mark.parametrize("body", [{}, {"json": {}}, {"json": {"args": None}}])
    def test_it_keeps_its_id(self, client: FlaskClient, broker: JobBroker, body: dict[str, Any]):
        id = died(client, broker)
        answer = client.post(f"/v1/jobs/{id}/retry", **body)
        job = answer.get_json()
        assert (answer.status_code, answer.headers["Location"]) == (202, f"/v1/jobs/{id}")
        assert (job["id"], job["state"], job["fingerprint"]) == (id, "queued", None)


class TestWithOtherArguments:
    def test_it_is_a_new_job_and_each_names_the_other(self, client: FlaskClient, broker: JobBroker):
        request = {**JOB, "priority": 9, "max_attempts": 2, "time_limit_ms": 5000}
        path = client.post("/v1/jobs", json=request).headers["Location"]
        client.post(f"{path}/cancel")
        old = client.get(path).get_json()

        answer = client.post(f"{path}/retry", json={"args": {"x": 5, "y": 6}})

        new = answer.get_json()
        assert (answer.status_code, answer.headers["Location"]) == (202, f"/v1/jobs/{new['id']}")
        assert (new["state"], new["args"], new["replayed_from"]) == ("queued", {"x": 5, "y": 6}, old["id"])
        assert (new["priority"], new["max_attempts"], new["queue"]) == (9, 2, "default")
        told = client.get(path).get_json()
        assert told == {**old, "replayed_as": new["id"], "version": told["version"]}
        stored = broker.reads.job(new["id"])
        assert stored is not None
        assert stored.message["options"] == {"time_limit": 5000}

    def test_mistakes_are_named_and_make_no_job(self, client: FlaskClient, broker: JobBroker):
        id = died(client, broker)
        before = len(client.get("/v1/jobs").get_json()["items"])
        answer = client.post(f"/v1/jobs/{id}/retry", json={"args": {"x": "one", "z": 1}})
        errors = problem(answer, 422, "invalid-job")["errors"]
        assert {error["pointer"] for error in errors} == {"/args/x", "/args/z"}
        assert len(client.get("/v1/jobs").get_json()["items"]) == before

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [({"arg": {}}, "/arg"), ({"args": [1]}, "/args"), ({"args": {}, "queue": "x"}, "/queue")],
    )
    def test_wrong_field_is_named(
        self, client: FlaskClient, broker: JobBroker, body: dict[str, Any], pointer: str
    ):
        answer = client.post(f"/v1/jobs/{died(client, broker)}/retry", json=body)
        (error,) = problem(answer, 422, "invalid-query")["errors"]
        assert error["pointer"] == pointer

    def test_body_that_is_no_json_is_refused(self, client: FlaskClient, broker: JobBroker):
        id = died(client, broker)
        answer = client.post(f"/v1/jobs/{id}/retry", data="{", content_type="application/json")
        problem(answer, 400, "bad-request")
        assert client.get(f"/v1/jobs/{id}").get_json()["state"] == "dead"

    def test_actor_that_is_gone_is_named(self, client: FlaskClient, broker: JobBroker):
        id = died(client, broker)
        del broker.actors["add"]
        answer = client.post(f"/v1/jobs/{id}/retry", json={"args": {"x": 1}})
        (error,) = problem(answer, 422, "invalid-job")["errors"]
        assert (error["pointer"], error["code"]) == ("/actor", "unknown_actor")

    def test_job_that_waits_is_a_conflict_and_an_unknown_one_404(self, client: FlaskClient):
        path = client.post("/v1/jobs", json=JOB).headers["Location"]
        answer = client.post(f"{path}/retry", json={"args": {"x": 2}})
        assert "is queued" in problem(answer, 409, "not-replayable")["detail"]
        assert len(client.get("/v1/jobs").get_json()["items"]) == 1
        assert client.post("/v1/jobs/nothing/retry", json={"args": {"x": 2}}).status_code == 404


class TestRemoved:
    def test_finished_job_is_gone(self, client: FlaskClient, broker: JobBroker):
        id = died(client, broker)
        answer = client.delete(f"/v1/jobs/{id}")
        assert (answer.status_code, answer.data) == (204, b"")
        assert client.get(f"/v1/jobs/{id}").status_code == 404
        assert client.delete(f"/v1/jobs/{id}").status_code == 404
        assert client.get("/v1/failures").get_json()["items"] == []

    def test_job_that_waits_or_runs_is_a_conflict(self, client: FlaskClient, broker: JobBroker):
        path = client.post("/v1/jobs", json=JOB).headers["Location"]
        assert "is queued" in problem(client.delete(path), 409, "job-not-finished")["detail"]
        broker.store.open_session("s", 60_000, {})
        broker.store.claim("s", "1", 1, ["default"])
        assert "is running" in problem(client.delete(path), 409, "job-not-finished")["detail"]
        assert client.get(path).status_code == 200
