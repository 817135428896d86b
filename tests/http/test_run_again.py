"""``/retry`` of a job that is unique, has done something once, or is asked for twice."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from worker_service.broker.broker import JobBroker
from worker_service.store import Outcome

KEY = {"Idempotency-Key": "again-1"}


def a_dead_job(client: FlaskClient, broker: JobBroker, *, step: str = "", **fields: Any) -> str:
    job = client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}, **fields}).get_json()
    broker.store.open_session("s", 60_000, {})
    (claimed,) = broker.store.claim("s", job["id"], 1, ["default"]).jobs
    if step:
        broker.store.begin_step(claimed.id, claimed.token, step)
    assert broker.store.finish([Outcome(claimed.id, claimed.token, "dead_letter", error="{}")]) == ["done"]
    return str(job["id"])


def retry(
    client: FlaskClient, id: str, args: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> TestResponse:
    body = None if args is None else {"args": args}
    return client.post(f"/v1/jobs/{id}/retry", json=body, headers=headers)


class TestRepeated:
    def test_same_key_is_one_new_job(self, client: FlaskClient, broker: JobBroker):
        id = a_dead_job(client, broker)
        first, again = (retry(client, id, {"x": 2}, KEY) for _ in range(2))
        assert (first.status_code, again.status_code) == (202, 202)
        assert first.headers["Location"] == again.headers["Location"]
        other = retry(client, id, {"x": 3}, KEY)
        assert (other.status_code, other.get_json()["type"].rpartition(":")[2]) == (
            422,
            "idempotency-key-reused",
        )
        assert broker.store.client.zcard(broker.store.keys.jobs) == 2

    def test_same_key_puts_back_once(self, client: FlaskClient, broker: JobBroker):
        id = a_dead_job(client, broker)
        assert retry(client, id, None, KEY).status_code == 202
        client.post(f"/v1/jobs/{id}/cancel")
        again = retry(client, id, None, KEY)
        assert (again.status_code, again.get_json()["state"]) == (202, "cancelled")
        assert retry(client, id).get_json()["state"] == "queued"


class TestUnique:
    @pytest.mark.parametrize("until", ["done", "success"])
    def test_the_new_job_does_the_work_of_the_old_one(
        self, client: FlaskClient, broker: JobBroker, until: str
    ):
        unique = {"key": "k", "until": until}
        id = a_dead_job(client, broker, unique=unique)
        new = retry(client, id, {"x": 2}).get_json()
        duplicate = client.post("/v1/jobs", json={"actor": "add", "args": {"x": 9}, "unique": unique})
        assert (duplicate.status_code, duplicate.get_json()["id"]) == (200, new["id"])
        client.post(f"/v1/jobs/{new['id']}/cancel")
        assert (
            client.post("/v1/jobs", json={"actor": "add", "args": {"x": 9}, "unique": unique}).status_code
            == 202
        )

    def test_what_the_job_switched_off_stays_off(self, client: FlaskClient, broker: JobBroker):
        broker.actors["add"].options["unique"] = {"key": "always"}
        id = a_dead_job(client, broker, unique=None)
        client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}})
        assert retry(client, id, {"x": 2}).status_code == 202

    def test_while_another_job_does_the_work_it_is_409_with_that_one(
        self, client: FlaskClient, broker: JobBroker
    ):
        id = a_dead_job(client, broker, unique={"key": "k"})
        other = client.post(
            "/v1/jobs", json={"actor": "add", "args": {"x": 9}, "unique": {"key": "k"}}
        ).get_json()
        answer = retry(client, id, {"x": 2})
        assert (answer.status_code, answer.get_json()["job_id"]) == (409, other["id"])

    def test_who_is_barred_by_a_dead_job_is_told_what_to_do(self, client: FlaskClient, broker: JobBroker):
        unique = {"key": "k", "until": "success", "on_conflict": "reject"}
        a_dead_job(client, broker, unique=unique)
        answer = client.post("/v1/jobs", json={"actor": "add", "args": {"x": 9}, "unique": unique})
        assert answer.status_code == 409
        assert "put it back" in answer.get_json()["detail"]


def test_job_that_has_begun_something_once_is_put_back_only_as_itself(client: FlaskClient, broker: JobBroker):
    id = a_dead_job(client, broker, step="charge")
    answer = retry(client, id, {"x": 2})
    assert answer.status_code == 409
    assert "charge" in answer.get_json()["detail"]
    assert retry(client, id).status_code == 202
