"""A namespace per test, with schedulers that end with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scheduler.processes import Namespace
from worker_service.embedded import EmbeddedServer


@pytest.fixture
def here(redis_url: str, namespace: str, tmp_path: Path) -> Iterator[Namespace]:
    """On the server of this test process."""
    made = Namespace(redis_url, namespace, tmp_path)
    yield made
    made.close()


@pytest.fixture
def own_server(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """A server that the test may stop or kill."""
    with EmbeddedServer(binary=server_binary) as running:
        yield running


@pytest.fixture
def there(own_server: EmbeddedServer, namespace: str, tmp_path: Path) -> Iterator[Namespace]:
    """On that server."""
    made = Namespace(own_server.url, namespace, tmp_path)
    yield made
    made.close()
