"""Debian's Prometheus, over a service that runs."""

import os
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need it."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker("prometheus")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no {name} on PATH")
    return str(found)


@pytest.fixture(scope="session")
def promtool() -> str:
    """The program that judges rules."""
    return _program("promtool")


@pytest.fixture(scope="session")
def prometheus_program() -> str:
    """The server."""
    return _program("prometheus")
