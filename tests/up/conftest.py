"""Services that end with their tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.up.service import RunningService


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RunningService]]:
    """Starts services; see `RunningService`."""
    started: list[RunningService] = []

    def start_one(folder: Path | None = None, **options: Any) -> RunningService:
        folder = folder or tmp_path / str(len(started))
        folder.mkdir(exist_ok=True)
        started.append(RunningService(folder, **options))
        return started[-1]

    yield start_one
    for service in started:
        service.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A running service that the tests of a module share."""
    running = RunningService(tmp_path_factory.mktemp("up"))
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()
