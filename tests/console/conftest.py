"""Runs commands of the console inside the test process, over a store of the test's own."""

import time
from collections.abc import Callable, Iterator

import dramatiq
import pytest
from click.testing import CliRunner, Result

from worker_service import PermanentError, current_job, registry
from worker_service.broker import bulk
from worker_service.broker.broker import JobBroker
from worker_service.cli import main
from worker_service.middleware import default_middleware
from worker_service.settings import Settings

Run = Callable[..., Result]


def add(x: int, y: int = 1) -> int:
    """The sum."""
    return x + y


def greet(name: str) -> str:
    """Friendly."""
    current_job().log(f"greeting {name}")
    return f"hello {name}"


def fail(why: str) -> None:
    """Ends dead."""
    raise PermanentError(why)


def hang() -> None:
    """Runs until it is stopped."""
    while True:
        time.sleep(0.01)


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[JobBroker]:
    """The broker that commands find."""
    made = JobBroker(Settings(redis_url=redis_url, namespace=namespace), default_middleware())
    for fn in (add, greet, fail, hang):
        dramatiq.actor(broker=made)(fn)
    bulk.declare(made)
    yield made
    made.close()


@pytest.fixture
def worker(broker: JobBroker) -> Iterator[dramatiq.Worker]:
    """Runs its jobs."""
    running = dramatiq.Worker(broker, worker_threads=2, worker_timeout=20)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def run(broker: JobBroker, redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``worker-service`` with some arguments; ``typed`` is its input."""
    monkeypatch.setattr(registry, "load", lambda: broker)
    monkeypatch.setattr(
        "worker_service.settings.settings", lambda: Settings(redis_url=redis_url, namespace=namespace)
    )

    def run(*arguments: str, code: int | None = 0, typed: str = "") -> Result:
        found = CliRunner().invoke(main, arguments, input=typed, catch_exceptions=False)
        assert code in (None, found.exit_code), found.output
        return found

    return run
