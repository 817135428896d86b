"""The store of a namespace of its own, and one on a server that may run out of memory."""

from collections.abc import Iterator

import pytest

from worker_service.embedded import EmbeddedServer
from worker_service.store import Queries, Store, connect


@pytest.fixture
def store(redis_url: str, namespace: str) -> Iterator[Store]:
    """An empty store."""
    client = connect(redis_url)
    yield Store(client, namespace)
    client.close()


@pytest.fixture
def reads(store: Store) -> Queries:
    """Reads of the same namespace."""
    return Queries(store.client, store.keys.prefix[1:-2])


@pytest.fixture(scope="session")
def emptied_server(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """A server for tests that look at all of its keys; those of other tests would make that slow."""
    with EmbeddedServer(binary=server_binary, appendonly=False) as running:
        yield running


@pytest.fixture
def emptied_url(emptied_server: EmbeddedServer) -> str:
    """Its address; nothing is in it."""
    with connect(emptied_server.url) as client:
        client.flushall()
    return emptied_server.url


@pytest.fixture(scope="session")
def limited_server(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """A server whose memory limit tests move; the other one is shared with tests that need memory."""
    with EmbeddedServer(binary=server_binary, appendonly=False) as running:
        yield running


@pytest.fixture
def limited(limited_server: EmbeddedServer, namespace: str) -> Iterator[Store]:
    """An empty store on that server; see builders.out_of_memory."""
    client = connect(limited_server.url)
    yield Store(client, namespace)
    client.close()
