"""What the intake says to a webhook, and the list of deliveries."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from tests.receiver import SECRET
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.store import Outcome

JOB = {"actor": "add", "args": {"x": 1}}


@pytest.fixture
def settings(redis_url: str, namespace: str) -> Settings:
    """Settings with a secret."""
    return Settings(redis_url=redis_url, namespace=namespace, webhook_secrets=SecretStr(SECRET))


@pytest.mark.parametrize(
    "webhook",
    [{"url": "https://example.org/hook"}, {"url": "http://[2001:db8::1]:8080/a?b=%20c", "events": ["dead"]}],
)
def test_job_with_a_webhook_is_accepted(client: FlaskClient, webhook: dict[str, Any]):
    answer = client.post("/v1/jobs", json={**JOB, "webhook": webhook})
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    ("webhook", "pointer"),
    [
        ("https://example.org/", "/webhook"),
        ({}, "/webhook/url"),
        ({"url": "ftp://example.org/"}, "/webhook/url"),
        ({"url": "https://me:secret@example.org/"}, "/webhook/url"),
        ({"url": "https://example.org/", "events": ["done"]}, "/webhook/events/0"),
        ({"url": "https://example.org/", "event": ["dead"]}, "/webhook/event"),
    ],
)
def test_mistakes_are_named(client: FlaskClient, webhook: Any, pointer: str):
    answer = client.post("/v1/jobs", json={**JOB, "webhook": webhook})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert "secret" not in answer.text


def test_null_is_none(client: FlaskClient):
    assert client.post("/v1/jobs", json={**JOB, "webhook": None}).status_code == 202


class TestWithoutASecret:
    @pytest.fixture
    def settings(self, redis_url: str, namespace: str) -> Settings:
        """Settings without one."""
        return Settings(redis_url=redis_url, namespace=namespace)

    def test_it_is_refused_and_says_what_to_set(self, client: FlaskClient, settings: Settings):
        answer = client.post("/v1/jobs", json={**JOB, "webhook": {"url": "https://example.org/"}})
        assert answer.status_code == 422
        [error] = answer.get_json()["errors"]
        assert (error["pointer"], error["code"]) == ("/webhook", "no_webhook_secret")
        assert "JOBS_WEBHOOK_SECRETS" in error["detail"]


class TestDeliveries:
    URL = "https://example.org/hook"

    def submit(self, client: FlaskClient, **more: Any) -> str:
        answer = client.post("/v1/jobs", json={**JOB, "webhook": {"url": self.URL}, **more})
        return str(answer.get_json()["id"])

    def cancelled(self, client: FlaskClient) -> str:
        """A job that ended, so that there is a delivery; its id."""
        id = self.submit(client, delay_ms=60_000)
        assert client.post(f"/v1/jobs/{id}/cancel").status_code == 200
        return id

    def end_attempt(self, broker: JobBroker, verb: str, **fields: Any) -> None:
        broker.store.open_session("s", 60_000, {})
        (job,) = broker.store.claim("s", verb, 1, ["webhooks"]).jobs
        assert broker.store.finish([Outcome(job.id, job.token, verb, **fields)]) == ["done"]

    def listed(self, client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
        answer = client.get(f"/v1/webhooks/deliveries{query}")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.get_json()["items"]
        return found

    def test_delivery_is_listed_with_what_is_known_of_it(self, client: FlaskClient):
        id = self.cancelled(client)
        self.submit(client)  # has not ended
        [delivery] = self.listed(client)
        assert delivery.pop("created_at") == client.get(f"/v1/jobs/{id}").get_json()["finished_at"]
        assert delivery == {
            "id": delivery["id"],
            "job": id,
            "url": self.URL,
            "event": "cancelled",
            "state": "queued",
            "attempts": 0,
            "max_attempts": 11,
            "last_status": None,
            "last_error": None,
            "next_attempt_at": None,
            "finished_at": None,
            "links": {"self": f"/v1/jobs/{delivery['id']}", "job": f"/v1/jobs/{id}"},
        }
        assert client.get(delivery["links"]["self"]).get_json()["actor"] == "service.webhook"

    def test_attempt_that_failed_is_told_with_its_status_and_the_next_one(
        self, client: FlaskClient, broker: JobBroker
    ):
        self.cancelled(client)
        error = '{"type":"DeliveryFailed","message":"example.org answered 503","traceback":""}'
        self.end_attempt(broker, "retry", reason="retry", delay_ms=30_000, error=error)
        [delivery] = self.listed(client)
        assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("retrying", 1, 503)
        assert delivery["last_error"] == "example.org answered 503"
        assert delivery["next_attempt_at"] == client.get(delivery["links"]["self"]).get_json()["run_at"]

    def test_one_that_arrived_has_its_status(self, client: FlaskClient, broker: JobBroker):
        self.cancelled(client)
        self.end_attempt(broker, "complete", result='{"status":204}')
        [delivery] = self.listed(client)
        assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("succeeded", 1, 204)
        assert delivery["finished_at"] is not None

    def test_dead_one_is_put_back_as_any_job(self, client: FlaskClient, broker: JobBroker):
        self.cancelled(client)
        self.end_attempt(broker, "dead_letter", reason="permanent_error")
        [delivery] = self.listed(client, "?state=dead")
        assert client.post(f"{delivery['links']['self']}/retry").status_code == 202
        assert [each["state"] for each in self.listed(client)] == ["queued"]

    def test_pages_follow_each_other_by_job_and_by_state(self, client: FlaskClient, broker: JobBroker):
        ids = [self.cancelled(client) for _ in range(5)]
        found: list[str] = []
        query = "?limit=2"
        cursor: str | None = None
        for _ in range(3):
            answer = client.get(f"/v1/webhooks/deliveries{query}")
            found += [each["job"] for each in answer.get_json()["items"]]
            cursor = answer.get_json()["next_cursor"]
            query = f"?limit=2&cursor={cursor}"
        assert (sorted(found), cursor) == (sorted(ids), None)
        assert [each["job"] for each in self.listed(client, f"?job={ids[1]}")] == [ids[1]]
        self.end_attempt(broker, "complete", result='{"status":204}')
        assert len(self.listed(client, "?state=succeeded")) == 1
        assert len(self.listed(client, "?state=queued")) == 4
        assert self.listed(client, "?job=none") == []

    def test_page_before_the_last_one_says_where_the_next_begins(self, client: FlaskClient):
        self.cancelled(client)
        self.cancelled(client)
        link = client.get("/v1/webhooks/deliveries?limit=1").headers["Link"]
        address = link.partition("<")[2].partition(">")[0]
        assert link.endswith('rel="next"')
        assert len(self.listed(client, address.removeprefix("/v1/webhooks/deliveries"))) == 1

    def test_one_that_was_removed_is_left_out(self, client: FlaskClient, broker: JobBroker):
        self.cancelled(client)
        self.end_attempt(broker, "complete", result='{"status":204}')
        [delivery] = self.listed(client)
        assert client.delete(delivery["links"]["self"]).status_code == 204
        assert self.listed(client) == []

    def test_damaged_ones_hide_no_other(self, client: FlaskClient, broker: JobBroker):
        for _ in range(3):
            self.cancelled(client)
        first, second, _ = (each["id"] for each in self.listed(client))
        broker.store.client.set(broker.store.keys.msg(first), "{")
        broker.store.client.delete(broker.store.keys.job(second))
        broker.store.client.set(broker.store.keys.job(second), "x")
        assert sorted(each["url"] for each in self.listed(client)) == ["", self.URL]

    @pytest.mark.parametrize(
        "query",
        ["limit=0", "limit=501", "limit=1_0", "limit=%2010", "cursor=x", "state=lost", "jobs=1", "job="],
    )
    def test_mistakes_are_named(self, client: FlaskClient, query: str):
        answer = client.get(f"/v1/webhooks/deliveries?{query}")
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == f"/query/{query.partition('=')[0]}"
