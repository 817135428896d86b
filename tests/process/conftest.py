"""A service per test, with workers that end with it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.process.workers import Service
from worker_service.embedded import EmbeddedServer

FAST_LEASE_MS = 1500


@pytest.fixture
def make_service(redis_url: str, namespace: str, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Makes a service; with a short lease unless the test is about the real one."""
    made: list[Service] = []

    def make(**settings: int) -> Service:
        service = Service(redis_url, namespace, tmp_path, **{"lease_ms": FAST_LEASE_MS, **settings})
        made.append(service)
        return service

    yield make
    for service in made:
        service.close()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    """A service with a short lease."""
    return make_service()


@pytest.fixture
def own_server(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """A server that this test may kill or change; it writes every change before it answers."""
    with EmbeddedServer(binary=server_binary, extra={"appendfsync": "always"}) as running:
        yield running


@pytest.fixture
def on_own_server(own_server: EmbeddedServer, namespace: str, tmp_path: Path) -> Iterator[Service]:
    """A service on that server."""
    made = Service(own_server.url, namespace, tmp_path, lease_ms=3000)
    yield made
    made.close()
