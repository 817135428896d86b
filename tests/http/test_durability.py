"""The header ``Durability``: when the request is answered."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.settings import Settings
from worker_service.store import durability

JOB = {"actor": "add", "args": {"x": 1}}


@pytest.fixture
def own_server(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """A server whose set-up a test may change."""
    with EmbeddedServer(binary=server_binary) as server:
        yield server


@pytest.fixture
def settings(own_server: EmbeddedServer, namespace: str) -> Settings:
    return Settings(redis_url=own_server.url, namespace=namespace)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = {level: (*command[:-1], 50) for level, command in durability._COMMAND.items()}
    monkeypatch.setattr(durability, "_COMMAND", commands)


def headers(level: str, key: str = "k") -> dict[str, str]:
    return {"Durability": level, "Idempotency-Key": key}


def test_memory_is_what_there_is_without_the_header(client: FlaskClient):
    assert client.post("/v1/jobs", json=JOB, headers=headers("memory")).status_code == 202


def test_job_on_the_disk_is_accepted(client: FlaskClient, broker: JobBroker):
    if tuple(map(int, broker.store.client.info("server")["redis_version"].split(".")[:2])) < (7, 2):
        pytest.skip("the server has no WAITAOF")
    answer = client.post("/v1/jobs", json=JOB, headers=headers("fsync"))
    assert answer.status_code == 202
    assert answer.headers["Location"]


def test_level_that_is_not_reached_is_503_and_the_same_request_waits_again(
    client: FlaskClient, broker: JobBroker, impatient: None
):
    for _ in range(2):
        answer = client.post("/v1/jobs", json=JOB, headers=headers("replica"))
        assert "same Idempotency-Key" in problem(answer, 503, "not-durable")["detail"]
        assert int(answer.headers["Retry-After"]) > 0
    assert broker.reads.depth("default") == 1
    again = client.post("/v1/jobs", json=JOB, headers=headers("memory"))
    assert again.headers["Idempotent-Replayed"] == "true"


def test_what_the_server_cannot_do_is_422_and_nothing_is_done(client: FlaskClient, broker: JobBroker):
    broker.store.client.config_set("appendonly", "no")
    answer = client.post("/v1/jobs", json=JOB, headers=headers("fsync"))
    (error,) = problem(answer, 422, "invalid-job")["errors"]
    assert error["code"] == "not_possible"
    assert broker.reads.depth("default") == 0


@pytest.mark.parametrize("level", ["fsnyc", "", "Memory", "memory, fsync"])
def test_unknown_level_is_422(client: FlaskClient, broker: JobBroker, level: str):
    answer = client.post("/v1/jobs", json=JOB, headers=headers(level))
    detail = problem(answer, 422, "invalid-job")["detail"]
    assert f"there is no level {level!r}" in detail
    assert broker.reads.depth("default") == 0


def test_mistyped_level_comes_with_the_nearest(client: FlaskClient):
    answer = client.post("/v1/jobs", json=JOB, headers=headers("fsnyc"))
    assert "Did you mean 'fsync'?" in answer.get_json()["detail"]


def test_level_given_twice_is_422(client: FlaskClient):
    twice = [("Durability", "fsync"), ("Durability", "replica")]
    problem(client.post("/v1/jobs", json=JOB, headers=twice), 422, "invalid-job")
