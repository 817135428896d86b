"""A broker of each test's own, whose jobs are simulated: nothing listens at its address."""

from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pytest

from worker_service.broker.broker import JobBroker
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.testing import simulated
from worker_service.testing.jobs import Jobs

NOBODY = "redis://127.0.0.1:1"


@pytest.fixture
def broker() -> JobBroker:
    return JobBroker(Settings(redis_url=NOBODY), default_middleware())


@pytest.fixture
def actor(broker: JobBroker) -> Callable[..., Any]:
    """Declares an actor on it."""
    return lambda **options: dramatiq.actor(broker=broker, **options)


@pytest.fixture
def jobs(broker: JobBroker) -> Iterator[Jobs]:
    with simulated(broker) as made:
        yield made
