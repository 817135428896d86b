"""The service refuses new jobs before it would break: 503, and when to ask again."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.errors import QueueFull
from worker_service.settings import Settings

JOB = {"actor": "add", "args": {"x": 1}}
LIMITS = "/v1/queues/default/limits"


def limit(client: FlaskClient, most: int | None) -> None:
    assert client.put(LIMITS, json={"max_depth": most}).status_code == 204


class TestQueueLimit:
    def test_full_queue_is_503_until_there_is_room(self, client: FlaskClient, broker: JobBroker):
        limit(client, 1)
        first = client.post("/v1/jobs", json=JOB)
        assert first.status_code == 202

        refused = client.post("/v1/jobs", json=JOB, headers={"Idempotency-Key": "k"})
        assert "'default'" in problem(refused, 503, "queue-full")["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        assert broker.reads.depth("default") == 1

        client.post(f"{first.headers['Location']}/cancel")
        accepted = client.post("/v1/jobs", json=JOB, headers={"Idempotency-Key": "k"})
        assert accepted.status_code == 202
        assert "Idempotent-Replayed" not in accepted.headers

    def test_limit_is_shown_and_removed(self, client: FlaskClient):
        client.post("/v1/jobs", json=JOB)
        limit(client, 5)
        assert client.get("/v1/queues").get_json()["items"][0]["max_depth"] == 5
        limit(client, None)
        assert client.get("/v1/queues").get_json()["items"][0]["max_depth"] is None

    def test_it_holds_for_sends_from_python(self, client: FlaskClient, broker: JobBroker):
        limit(client, 0)
        with pytest.raises(QueueFull):
            broker.actors["add"].send(1)

    def test_job_that_is_put_back_is_not_refused(self, client: FlaskClient, broker: JobBroker):
        first = client.post("/v1/jobs", json=JOB).headers["Location"]
        client.post(f"{first}/cancel")
        limit(client, 0)
        assert client.post(f"{first}/retry").status_code == 202

    def test_misspelt_queue_is_404_with_the_nearest(self, client: FlaskClient):
        answer = client.put("/v1/queues/defualt/limits", json={"max_depth": 1})
        assert "Did you mean 'default'?" in problem(answer, 404, "unknown-queue")["detail"]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/max_depth"),
            ({"max_depth": -1}, "/max_depth"),
            ({"max_depth": 1.5}, "/max_depth"),
            ({"max_depth": "1"}, "/max_depth"),
            ({"max_depth": True}, "/max_depth"),
            ({"max_depth": 1, "max_dept": 2}, "/max_dept"),
        ],
    )
    def test_wrong_limit_is_refused(self, client: FlaskClient, body: dict[str, Any], pointer: str):
        answer = client.put(LIMITS, json=body)
        assert problem(answer, 422, "invalid-query")["errors"][0]["pointer"] == pointer


class TestMemory:
    @pytest.fixture
    def own_server(self, server_binary: str | None) -> Iterator[EmbeddedServer]:
        """A server whose memory limit a test may move."""
        with EmbeddedServer(binary=server_binary, appendonly=False) as server:
            yield server

    @pytest.fixture
    def settings(self, own_server: EmbeddedServer, namespace: str) -> Settings:
        return Settings(redis_url=own_server.url, namespace=namespace)

    @pytest.fixture
    def nearly_full(self, broker: JobBroker) -> None:
        """The server uses 90 % of its memory limit, and still takes writes."""
        broker.store.client.set(broker.store.keys.aside("x"), "x" * 20_000_000)
        used = broker.store.client.info("memory")["used_memory"]
        broker.store.client.config_set("maxmemory", int(used / 0.9))

    def test_new_jobs_are_refused_above_the_high_water_mark(
        self, client: FlaskClient, broker: JobBroker, nearly_full: None
    ):
        answer = client.post("/v1/jobs", json=JOB)
        assert "no more jobs are taken" in problem(answer, 503, "store-full")["detail"]
        assert int(answer.headers["Retry-After"]) > 0
        assert broker.reads.depth("default") == 0

    def test_what_frees_memory_and_what_was_accepted_goes_on(
        self, client: FlaskClient, broker: JobBroker, nearly_full: None
    ):
        broker.actors["add"].send(1)  # of an actor that is at work
        (job,) = client.get("/v1/jobs").get_json()["items"]
        assert client.post(f"/v1/jobs/{job['id']}/cancel").status_code == 200
        assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204
