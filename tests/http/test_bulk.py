"""Many jobs at once over HTTP: what is asked for becomes a job of the service itself."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.test_failures import died
from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.store import NewJob
from worker_service.web import create_app

JOB = {"actor": "add", "args": {"x": 1}}


@pytest.mark.parametrize(
    ("operation", "given", "shown"),
    [
        ("retry", {"actor": "add"}, {"states": ["dead"], "actor": "add"}),
        ("retry", {"state": "cancelled", "queue": "a"}, {"states": ["cancelled"], "queue": "a"}),
        ("retry", {"fingerprint": "a" * 16}, {"states": ["dead"], "fingerprint": "a" * 16}),
        (
            "cancel",
            {"until": "2030-01-01T00:00:00Z"},
            {"states": ["scheduled", "queued", "running", "retrying"], "until_ms": 1_893_456_000_000},
        ),
        (
            "delete",
            {"since": "1970-01-01T00:00:00Z"},
            {"states": ["succeeded", "dead", "cancelled", "expired"], "since_ms": 0},
        ),
        ("delete", {"state": "expired"}, {"states": ["expired"]}),
    ],
)
def test_filter_becomes_a_job_that_does_it(
    client: FlaskClient, operation: str, given: dict[str, Any], shown: dict[str, Any]
):
    answer = client.post(f"/v1/jobs:{operation}", json={"filter": given})
    job = answer.get_json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert (job["actor"], job["queue"], job["state"]) == ("service.bulk", "service", "queued")
    assert job["args"] == {"operation": operation, "filter": shown}
    assert client.get(answer.headers["Location"]).get_json() == job


def test_ids_become_a_job_that_does_it(client: FlaskClient):
    ids = [f"{number:064}" for number in range(500)]
    answer = client.post("/v1/jobs:delete", json={"ids": ids})
    assert answer.status_code == 202
    assert answer.get_json()["args"] == {"operation": "delete", "ids": ids}


class TestDryRun:
    def test_it_counts_and_changes_nothing(self, client: FlaskClient, broker: JobBroker):
        first, second = died(client, broker), died(client, broker, "b" * 16)
        waits = client.post("/v1/jobs", json=JOB).get_json()["id"]
        for operation, asked, matched in (
            ("retry", {"filter": {"actor": "add"}}, 2),
            ("retry", {"filter": {"fingerprint": "b" * 16}}, 1),
            ("cancel", {"filter": {"actor": "add"}}, 1),
            ("cancel", {"filter": {"tag": "none"}}, 0),
            ("delete", {"filter": {"queue": "default"}}, 2),
            ("delete", {"ids": [first, second, waits, "nobody", first]}, 3),
        ):
            answer = client.post(f"/v1/jobs:{operation}", json={**asked, "dry_run": True})
            assert answer.status_code == 200
            assert answer.get_json() == {"matched": matched, "truncated": False}
        jobs = client.get("/v1/jobs").get_json()["items"]
        assert {job["id"]: job["state"] for job in jobs} == {first: "dead", second: "dead", waits: "queued"}


class TestRepeated:
    def test_key_makes_it_one_job(self, client: FlaskClient):
        key = {"Idempotency-Key": "monday"}
        body = {"filter": {"actor": "add"}}
        first = client.post("/v1/jobs:retry", json=body, headers=key)
        again = client.post("/v1/jobs:retry", json=body, headers=key)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Location"] == first.headers["Location"]
        assert len(client.get("/v1/jobs").get_json()["items"]) == 1

    def test_key_of_another_operation_is_refused(self, client: FlaskClient):
        key = {"Idempotency-Key": "monday"}
        body = {"filter": {"actor": "add"}}
        client.post("/v1/jobs:retry", json=body, headers=key)
        problem(client.post("/v1/jobs:delete", json=body, headers=key), 422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("operation", "body", "pointer", "hint"),
    [
        ("retry", {}, "", "either ids or a filter"),
        ("retry", {"ids": ["a"], "filter": {"actor": "add"}}, "", "either ids or a filter"),
        ("retry", {"ids": []}, "/ids", "at least 1"),
        ("retry", {"ids": ["x"] * 501}, "/ids", "at most 500"),
        ("retry", {"ids": ["x" * 65]}, "/ids/0", "at most 64"),
        ("retry", {"ids": [1]}, "/ids/0", "string"),
        ("retry", {"id": ["a"]}, "/id", "Did you mean 'ids'?"),
        ("retry", {"filter": {}}, "/filter", "at least one condition"),
        ("delete", {"filter": {"state": None}}, "/filter", "at least one condition"),
        ("retry", {"filter": {"actr": "add"}}, "/filter/actr", "Did you mean 'actor'?"),
        ("retry", {"filter": {"state": "ded"}}, "/filter/state", "'dead'"),
        ("retry", {"filter": {"state": "succeeded"}}, "/filter/state", "dead, cancelled"),
        ("cancel", {"filter": {"state": "dead"}}, "/filter/state", "queued"),
        ("delete", {"filter": {"state": "running"}}, "/filter/state", "expired"),
        ("cancel", {"filter": {"fingerprint": "a" * 16}}, "/filter/fingerprint", "queued"),
        ("retry", {"filter": {"since": "soon"}}, "/filter/since", "RFC 3339"),
        ("retry", {"filter": {"actor": "add"}, "dry_run": "yes"}, "/dry_run", "boolean"),
        ("delete", {"filter": {"actor": "ad"}}, "/filter/actor", "No actor 'ad'. Did you mean 'add'?"),
        ("cancel", {"filter": {"queue": "defualt"}}, "/filter/queue", "Did you mean 'default'?"),
        ("retry", {"filter": {"actor": "addd"}, "dry_run": True}, "/filter/actor", "Did you mean 'add'?"),
    ],
)
def test_mistake_is_named(client: FlaskClient, operation: str, body: dict[str, Any], pointer: str, hint: str):
    answer = client.post(f"/v1/jobs:{operation}", json=body)
    (error,) = problem(answer, 422, "invalid-query")["errors"]
    assert error["pointer"] == pointer
    assert hint in error["detail"]
    assert client.get("/v1/jobs").get_json()["items"] == []


@pytest.mark.parametrize(
    "asked", [{"actor": "ad"}, {"queue": "defualt"}, {"actor": "ad", "queue": "defualt"}]
)
def test_names_that_have_had_jobs_are_known(client: FlaskClient, broker: JobBroker, asked: dict[str, Any]):
    broker.store.submit([NewJob("left", "defualt", "ad", b"{}")])
    answer = client.post("/v1/jobs:cancel", json={"filter": asked, "dry_run": True})
    assert answer.get_json() == {"matched": 1, "truncated": False}


class TestActorOfTheServiceItself:
    def test_nobody_may_ask_for_it(self, client: FlaskClient):
        body = {"actor": "service.bulk", "args": {"operation": "delete", "ids": ["x"]}}
        (error,) = problem(client.post("/v1/jobs", json=body), 422, "invalid-job")["errors"]
        assert (error["pointer"], error["code"]) == ("/actor", "unknown_actor")

    def test_nobody_is_told_of_it(self, client: FlaskClient):
        answer = client.post("/v1/jobs", json={"actor": "service.bul"})
        assert "service.bulk" not in answer.get_json()["detail"].replace("'service.bul'", "")

    def test_its_job_is_not_run_again_with_other_arguments(self, client: FlaskClient):
        path = client.post("/v1/jobs:retry", json={"filter": {"actor": "add"}}).headers["Location"]
        client.post(f"{path}/cancel")
        answer = client.post(f"{path}/retry", json={"args": {"operation": "delete", "ids": ["x"]}})
        problem(answer, 422, "invalid-job")
        assert client.post(f"{path}/retry").status_code == 202


def test_other_operations_and_methods_are_not_there(client: FlaskClient):
    assert client.post("/v1/jobs:purge", json={"ids": ["x"]}).status_code == 404
    assert client.get("/v1/jobs:retry").status_code == 405


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/failures"),
        ("POST", "/v1/jobs:retry"),
        ("POST", "/v1/jobs:cancel"),
        ("POST", "/v1/jobs:delete"),
        ("POST", "/v1/jobs/x/retry"),
        ("DELETE", "/v1/jobs/x"),
    ],
)
def test_admin_key_is_asked_for(broker: JobBroker, settings: Settings, method: str, path: str):
    guarded = create_app(broker, Settings(**{**settings.model_dump(), "admin_key": "k" * 20})).test_client()
    problem(guarded.open(path, method=method), 401, "unauthorized")
    foreign = {"Authorization": f"Bearer {'k' * 20}", "Origin": "https://elsewhere.example"}
    if method != "GET":
        problem(guarded.open(path, method=method, headers=foreign), 403, "forbidden")
