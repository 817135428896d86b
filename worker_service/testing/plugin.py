"""What pytest loads of this package, in every run: so it imports nothing that is not used."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from . import simulated

if TYPE_CHECKING:
    from .jobs import Jobs


@pytest.fixture
def jobs() -> "Iterator[Jobs]":
    """Jobs are kept in memory while the test runs; see `worker_service.testing.jobs.Jobs`."""
    with simulated() as made:
        yield made
