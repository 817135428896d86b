"""``worker-service check redis``: what is wrong with a server, each thing made wrong on a server of the test's."""

from collections.abc import Iterator

import pytest
import redis

from worker_service.embedded import EmbeddedServer
from worker_service.jobs.errors import StoreUnavailable
from worker_service.store import connect, examination, examine
from worker_service.store.keys import Keys

KEYS = Keys("examined")


@pytest.fixture
def client(server_binary: str | None) -> Iterator[redis.Redis]:
    """Of a server that keeps an append-only file, has a memory limit and evicts nothing."""
    with EmbeddedServer(binary=server_binary) as server, connect(server.url) as made:
        yield made


def found(client: redis.Redis) -> list[tuple[str, str]]:
    return [(each.level, each.about) for each in examine(client, KEYS)]


def test_nothing_is_wrong_with_the_embedded_server_and_nothing_is_written(client: redis.Redis):
    assert examine(client, KEYS) == []
    assert client.dbsize() == 0


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("maxmemory-policy", "allkeys-lru", ("error", "eviction")),
        ("maxmemory", "0", ("warning", "memory")),
        ("appendonly", "no", ("warning", "persistence")),
    ],
)
def test_what_is_set_wrong_is_found(client: redis.Redis, name: str, value: str, finding: tuple[str, str]):
    client.config_set(name, value)
    assert found(client) == [finding]


def test_server_that_is_almost_full_is_found(client: redis.Redis):
    client.config_set("maxmemory", client.info("memory")["used_memory"] * 10 // 9)
    assert found(client) == [("error", "memory")]


def test_replica_is_found(client: redis.Redis):
    client.replicaof("127.0.0.1", "1")
    assert ("error", "writes") in found(client)


def test_user_that_may_not_write_is_told(client: redis.Redis):
    client.execute_command("ACL", "SETUSER", "default", "-zrem")
    (finding,) = examine(client, KEYS)
    assert (finding.level, finding.about) == ("error", "writes")
    assert "zrem" in finding.text.lower()


def test_user_that_may_not_ask_how_the_server_is_set_up_is_told_what_was_not_seen(client: redis.Redis):
    client.execute_command("ACL", "SETUSER", "default", "-info")
    (finding,) = examine(client, KEYS)
    assert (finding.level, finding.about) == ("warning", "untold")
    assert "version, maxmemory-policy, maxmemory, appendonly (" in finding.text
    assert "info" in finding.text.lower()


def test_what_a_server_leaves_out_is_named(client: redis.Redis):
    info = client.info()
    del info["maxmemory_policy"]
    client.set_response_callback("INFO", lambda *_, **__: info)
    (finding,) = examine(client, KEYS)
    assert finding.text == "Redis does not tell its maxmemory-policy: see to it where it is set up."


def test_slow_way_to_the_server_is_found(client: redis.Redis, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(examination, "SLOW_MS", 0.0)
    (finding,) = examine(client, KEYS)
    assert (finding.level, finding.about) == ("warning", "latency")


@pytest.mark.parametrize(
    ("told", "about"),
    [
        ({"redis_version": "6.2.14"}, "version"),
        ({"cluster_enabled": 1}, "cluster"),
        ({"aof_last_write_status": "err"}, "persistence"),
        ({"rdb_last_bgsave_status": "err"}, "persistence"),
    ],
)
def test_what_servers_of_other_people_say_is_understood(
    client: redis.Redis, told: dict[str, object], about: str
):
    info = client.info() | told
    client.set_response_callback("INFO", lambda *_, **__: info)
    assert found(client) == [("error", about)]


def test_server_that_is_away_is_said():
    with connect("redis://127.0.0.1:1/0", retries=0) as away, pytest.raises(StoreUnavailable):
        examine(away, KEYS)
