"""``/readyz``: what is wrong with the store, and what to do."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.http.test_problems import problem
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.settings import Settings
from worker_service.web import WAITING


@pytest.fixture
def own_server(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """A server that a test may set up wrongly."""
    with EmbeddedServer(binary=server_binary, appendonly=False) as server:
        yield server


@pytest.fixture
def settings(own_server: EmbeddedServer, namespace: str) -> Settings:
    return Settings(redis_url=own_server.url, namespace=namespace)


def unfit(client: FlaskClient) -> str:
    return str(problem(client.get("/readyz"), 503, "store-unfit")["detail"])


def test_server_that_drops_keys_is_named(client: FlaskClient, broker: JobBroker):
    broker.store.client.config_set("maxmemory-policy", "allkeys-lru")
    assert "set its maxmemory-policy from allkeys-lru to noeviction" in unfit(client)
    broker.store.client.config_set("maxmemory-policy", "noeviction")
    assert client.get("/readyz").status_code == 200


def test_replica_is_named(client: FlaskClient, broker: JobBroker):
    broker.store.client.execute_command("REPLICAOF", "127.0.0.1", "1")
    assert "read-only replica: name the primary" in unfit(client)
    broker.store.client.execute_command("REPLICAOF", "NO", "ONE")
    assert client.get("/readyz").status_code == 200


def test_each_trouble_is_named(client: FlaskClient, broker: JobBroker):
    broker.store.client.config_set("maxmemory-policy", "volatile-ttl")
    broker.store.client.execute_command("REPLICAOF", "127.0.0.1", "1")
    assert "read-only replica" in unfit(client)
    assert "volatile-ttl" in unfit(client)


def test_server_that_may_not_be_asked_for_its_policy_is_trusted(client: FlaskClient, broker: JobBroker):
    broker.store.client.execute_command("ACL", "SETUSER", "default", "-info")
    assert client.get("/readyz").status_code == 200


def test_write_that_is_refused_for_another_reason_is_named(client: FlaskClient, broker: JobBroker):
    broker.store.client.config_set("min-replicas-to-write", "1")
    assert "refuses writes" in unfit(client)


def test_memory_that_is_used_up_is_no_reason_to_send_readers_away(client: FlaskClient, broker: JobBroker):
    broker.store.client.config_set("maxmemory", "1")
    assert client.get("/readyz").status_code == 200


def test_address_of_a_server_that_is_away_is_not_told(client: FlaskClient, own_server: EmbeddedServer):
    own_server.kill()
    body = problem(client.get("/readyz"), 503, "store-unavailable")
    assert "JOBS_REDIS_URL" in body["detail"]
    assert own_server.url.partition("://")[2].partition("?")[0] not in str(body)


def test_it_asks_twice_at_most(client: FlaskClient, broker: JobBroker):
    before = _calls(broker)
    client.get("/readyz")
    after = _calls(broker)
    assert {name: after[name] - before.get(name, 0) for name in ("zrem", "info")} == {
        "zrem": 1,
        "info": 1 + 1,
    }  # one is ours


def _calls(broker: JobBroker) -> dict[str, int]:
    found = broker.store.client.info("commandstats")
    return {name.removeprefix("cmdstat_"): each["calls"] for name, each in found.items()}


def test_process_that_was_told_to_stop_is_not_ready_but_lives(client: FlaskClient):
    client.application.extensions[WAITING].stop()
    assert "stops" in problem(client.get("/readyz"), 503, "draining")["detail"]
    assert client.get("/livez").status_code == 200
