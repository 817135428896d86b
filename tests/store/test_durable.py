"""durable: the caller goes on when the job is as safe as was asked for."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.store.builders import a_job, ids, words
from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.errors import InvalidJob, NotDurable, StoreUnavailable
from worker_service.store import Idempotency, Level, Store, Vitals, connect, durability

REQUEST = Idempotency("all:key", "fingerprint", 60_000)


@contextmanager
def replica_of(server: EmbeddedServer, binary: str | None) -> Iterator[redis.Redis]:
    """A second server that copies the first one; its client."""
    with EmbeddedServer(binary=binary, appendonly=False, port=0) as second, connect(second.url) as client:
        client.replicaof("127.0.0.1", server.url.rpartition(":")[2].removesuffix("/0"))
        wait_until(lambda: client.info("replication")["master_link_status"] == "up")
        yield client


@pytest.fixture
def own_server(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """A server on a port, which others may copy and tests may change."""
    with EmbeddedServer(binary=server_binary, port=0) as running:
        yield running


@pytest.fixture
def own(own_server: EmbeddedServer, namespace: str) -> Iterator[Store]:
    """An empty store on it."""
    with connect(own_server.url) as client:
        yield Store(client, namespace)


def submit(store: Store, level: Level, id: str = "") -> list[str]:
    with store.durable(level) as mine:
        return words(mine.submit([a_job(id, idempotency=REQUEST)]))


def pending_fsync(client: redis.Redis) -> bool:
    return bool(client.info("persistence")["aof_pending_bio_fsync"])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are short where the level is known not to be reached."""
    commands = {level: (*command[:-1], 100) for level, command in durability._COMMAND.items()}
    monkeypatch.setattr(durability, "_COMMAND", commands)


@pytest.fixture
def no_waitaof(own: Store) -> None:
    if tuple(map(int, own.client.info("server")["redis_version"].split(".")[:2])) < (7, 2):
        pytest.skip("the server has no WAITAOF")


@pytest.mark.usefixtures("no_waitaof")
class TestFsync:
    def test_it_returns_when_the_job_is_on_the_disk(self, own: Store):
        assert submit(own, "fsync") == ["created"]

    def test_repeated_call_waits_again(self, own: Store, impatient: None):
        own.client.config_set("appendfsync", "no")  # the file is written to, but not to the disk
        with pytest.raises(NotDurable, match="not yet on the disk"):
            submit(own, "fsync", "first")
        with pytest.raises(NotDurable):
            submit(own, "fsync", "second")
        assert ids(own, own.keys.jobs) == ["first"]

        own.client.config_set("appendfsync", "always")
        assert submit(own, "fsync", "third") == ["replayed"]

    def test_server_without_the_file_is_told_before_anything_is_done(self, own: Store):
        vitals = Vitals(own.client)
        vitals.check_level("fsync")
        own.client.config_set("appendonly", "no")
        with pytest.raises(InvalidJob, match="appendonly no"):
            Vitals(own.client).check_level("fsync")
        with pytest.raises(NotDurable):  # it was turned off meanwhile
            submit(own, "fsync")


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs an old server")
def test_old_server_is_told_before_anything_is_done():
    with EmbeddedServer(binary="redis-server") as old, connect(old.url) as client:
        if tuple(map(int, client.info("server")["redis_version"].split(".")[:2])) >= (7, 2):
            pytest.skip("redis-server is not old")
        with pytest.raises(InvalidJob, match=r"before 7\.2"):
            Vitals(client).check_level("fsync")
        Vitals(client).check_level("replica")


class TestReplica:
    def test_it_returns_when_another_server_has_the_job(
        self, own: Store, own_server: EmbeddedServer, server_binary: str | None
    ):
        with replica_of(own_server, server_binary) as second:
            assert submit(own, "replica", "one") == ["created"]
            assert second.exists(own.keys.job("one"))

    def test_repeated_call_waits_for_a_replica_that_was_away(
        self, own: Store, own_server: EmbeddedServer, server_binary: str | None, impatient: None
    ):
        with pytest.raises(NotDurable, match="second server"):
            submit(own, "replica", "first")
        with pytest.raises(NotDurable):
            submit(own, "replica", "second")
        with replica_of(own_server, server_binary) as second:

            def repeated() -> list[str]:
                try:
                    return submit(own, "replica", "third")
                except NotDurable:  # it is still being filled
                    return []

            assert wait_until(repeated, timeout=30) == ["replayed"]
            assert second.exists(own.keys.job("first"))


def test_lost_connection_is_not_replaced_by_another_one(own: Store):
    def submit_and_lose() -> None:
        with own.durable("replica") as mine:
            mine.submit([a_job("one")])
            own.client.client_kill_filter(_type="normal", skipme=True)

    with pytest.raises(StoreUnavailable):
        submit_and_lose()
    assert ids(own, own.keys.jobs) == ["one"]


def test_connection_goes_back_to_the_pool(own: Store, impatient: None):
    for _ in range(3):
        with pytest.raises(NotDurable):
            submit(own, "replica")
    assert len(own.client.client_list()) <= 2
