"""Quotas: how much a key may ask for in a minute."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.keys import ADMIN_KEY, a_key, bearer, guarded_client
from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.jobs.quota import Quota
from worker_service.settings import Settings
from worker_service.web import create_app

JOB = {"actor": "add", "args": {"x": 1}}


@pytest.fixture
def guarded(broker: JobBroker, settings: Settings) -> FlaskClient:
    """Asks an application that has an admin key."""
    return guarded_client(broker, settings)


def key_with(broker: JobBroker, quota: Quota | None) -> dict[str, str]:
    return bearer(a_key(broker, "submit", "read", quota=quota))


def left(answer: TestResponse) -> int:
    found = re.fullmatch(r'"(jobs|requests)";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
    assert found
    assert 0 < int(found[3]) <= 60
    return int(found[2])


def refused(answer: TestResponse) -> None:
    problem(answer, 429, "over-quota")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


class TestJobs:
    def test_jobs_beyond_the_quota_are_429_and_are_not_made(self, guarded: FlaskClient, broker: JobBroker):
        mine = key_with(broker, Quota("jobs", 2))
        for rest in (1, 0):
            answer = guarded.post("/v1/jobs", json=JOB, headers=mine)
            assert answer.status_code == 202
            assert answer.headers["RateLimit-Policy"] == '"jobs";q=2;w=60'
            assert left(answer) == rest
        answer = guarded.post("/v1/jobs", json=JOB, headers=mine)
        refused(answer)
        assert left(answer) == 0
        assert broker.reads.depth("default") == 2

    def test_other_requests_are_not_counted(self, guarded: FlaskClient, broker: JobBroker):
        mine = key_with(broker, Quota("jobs", 1))
        for _ in range(3):
            answer = guarded.get("/v1/jobs", headers=mine)
            assert answer.status_code == 200
            assert "RateLimit" not in answer.headers

    def test_wrong_requests_are_not_counted(self, guarded: FlaskClient, broker: JobBroker):
        mine = key_with(broker, Quota("jobs", 1))
        for _ in range(3):
            assert guarded.post("/v1/jobs", json={"actor": "ad"}, headers=mine).status_code == 422
        assert guarded.post("/v1/jobs", json=JOB, headers=mine).status_code == 202

    @pytest.mark.parametrize("body", [[JOB] * 3, {"jobs": [JOB] * 3, "atomic": True}])
    def test_batch_is_counted_whole(self, guarded: FlaskClient, broker: JobBroker, body: Any):
        mine = key_with(broker, Quota("jobs", 4))
        assert left(guarded.post("/v1/jobs:batch", json=body, headers=mine)) == 1
        answer = guarded.post("/v1/jobs:batch", json=body, headers=mine)
        refused(answer)
        assert "1 are left, and this is 3" in answer.get_json()["detail"]
        assert broker.reads.depth("default") == 3
        assert left(guarded.post("/v1/jobs", json=JOB, headers=mine)) == 0

    def test_each_key_has_a_quota_of_its_own(self, guarded: FlaskClient, broker: JobBroker):
        for _ in range(2):
            mine = key_with(broker, Quota("jobs", 1))
            assert guarded.post("/v1/jobs", json=JOB, headers=mine).status_code == 202

    def test_all_web_processes_count_together(
        self, guarded: FlaskClient, broker: JobBroker, settings: Settings
    ):
        mine = key_with(broker, Quota("jobs", 1))
        other = create_app(broker, settings).test_client()
        assert guarded.post("/v1/jobs", json=JOB, headers=mine).status_code == 202
        refused(other.post("/v1/jobs", json=JOB, headers=mine))


class TestRequests:
    def test_every_request_is_counted(self, guarded: FlaskClient, broker: JobBroker):
        mine = key_with(broker, Quota("requests", 3))
        assert left(guarded.get("/v1/jobs", headers=mine)) == 2
        assert left(guarded.get("/nope", headers=mine)) == 1
        assert left(guarded.post("/v1/jobs", json=JOB, headers=mine)) == 0
        refused(guarded.get("/v1/jobs", headers=mine))
        refused(guarded.post("/v1/jobs", json=JOB, headers=mine))
        assert broker.reads.depth("default") == 1

    def test_probes_are_open_and_not_counted(self, guarded: FlaskClient, broker: JobBroker):
        mine = key_with(broker, Quota("requests", 1))
        for _ in range(3):
            assert guarded.get("/livez", headers=mine).status_code == 200


def test_key_without_a_quota_costs_no_look_at_the_store(guarded: FlaskClient, broker: JobBroker):
    mine = key_with(broker, None)
    answer = guarded.post("/v1/jobs", json=JOB, headers=mine)
    assert "RateLimit" not in answer.headers
    assert not list(broker.store.client.scan_iter(match=broker.store.keys.quota("*"), count=10_000))


class TestMaking:
    def post(self, client: FlaskClient, quota: Any) -> TestResponse:
        body = {"name": "shop", "scopes": ["submit"], "quota": quota}
        return client.post("/v1/keys", json=body, headers=bearer(ADMIN_KEY))

    def test_key_is_made_with_a_quota_that_counts(self, guarded: FlaskClient):
        made = self.post(guarded, {"of": "jobs", "per_minute": 1}).get_json()
        assert made["quota"] == {"of": "jobs", "per_minute": 1}
        assert guarded.post("/v1/jobs", json=JOB, headers=bearer(made["key"])).status_code == 202
        refused(guarded.post("/v1/jobs", json=JOB, headers=bearer(made["key"])))

    def test_key_without_one_says_so(self, guarded: FlaskClient):
        assert self.post(guarded, None).get_json()["quota"] is None

    @pytest.mark.parametrize(
        ("quota", "pointer"),
        [
            ({"of": "jobs"}, "/quota/per_minute"),
            ({"of": "bytes", "per_minute": 1}, "/quota/of"),
            ({"of": "jobs", "per_minute": 0}, "/quota/per_minute"),
            ({"of": "jobs", "per_minute": 1, "per_hour": 1}, "/quota/per_hour"),
            (5, "/quota"),
        ],
    )
    def test_mistakes_are_named(self, guarded: FlaskClient, quota: Any, pointer: str):
        found = problem(self.post(guarded, quota), 422, "invalid-query")
        assert found["errors"][0]["pointer"] == pointer
