"""Brokers, and workers that run inside the test process.

A worker starts a keeper process, so most tests share one worker per test process; they declare actors of
their own on it. Tests about claiming, and those that add middleware, start their own.
"""

import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import dramatiq
import pytest

from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.store import Job

Actor = dramatiq.Actor[..., Any]
MakeBroker = Callable[..., JobBroker]
Working = Callable[..., AbstractContextManager[dramatiq.Worker]]
Declare = Callable[..., Any]
Ended = Callable[[Any], Job]

_numbers = itertools.count(1)


def build(url: str, namespace: str, *middleware: dramatiq.Middleware, **settings: Any) -> JobBroker:
    wanted = Settings(redis_url=url, namespace=namespace, **settings)
    return JobBroker(wanted, [*default_middleware(), *middleware])


def an_actor(broker: JobBroker, fn: Callable[..., Any], name: str = "work", **options: Any) -> Actor:
    """Declare a function as an actor."""
    declare: Any = dramatiq.actor(broker=broker, actor_name=name, **options)
    actor: Actor = declare(fn)
    return actor


@contextmanager
def worker_of(
    broker: JobBroker, threads: int = 2, queues: set[str] | None = None
) -> Iterator[dramatiq.Worker]:
    worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=20, queues=queues)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


@pytest.fixture
def make_broker(redis_url: str, namespace: str) -> Iterator[MakeBroker]:
    """Makes a broker in the test's namespace; ``middleware`` goes behind the usual ones."""
    made: list[JobBroker] = []

    def make(*middleware: dramatiq.Middleware, **settings: Any) -> JobBroker:
        made.append(build(settings.pop("url", redis_url), namespace, *middleware, **settings))
        return made[-1]

    yield make
    for broker in made:
        broker.close()


@pytest.fixture
def broker(make_broker: MakeBroker) -> JobBroker:
    """A broker of the test's own; no worker runs for it."""
    return make_broker()


@pytest.fixture
def working() -> Working:
    """Runs a worker of a broker for as long as a `with` lasts."""
    return worker_of


@pytest.fixture(scope="session")
def served(server: EmbeddedServer) -> Iterator[JobBroker]:
    """A broker whose worker runs all the time, with eight threads."""
    broker = build(server.url, f"t-{secrets.token_hex(4)}")
    with worker_of(broker, threads=8):
        yield broker
    broker.close()


@pytest.fixture
def declare(served: JobBroker) -> Declare:
    """Declares a function as an actor of the served broker, under a name of its own."""

    def declare(fn: Callable[..., Any], **options: Any) -> Actor:
        name = f"{fn.__name__.replace('<lambda>', 'anonymous')}_{next(_numbers)}"
        return an_actor(served, fn, name, **options)

    return declare


@pytest.fixture
def ended(served: JobBroker) -> Ended:
    """Waits for the end of a message's job, and returns the job."""

    def ended(message: Any) -> Job:
        job = served.reads.wait_until_final(message.message_id, timeout=10)
        assert job is not None
        assert job.is_final, job
        return job

    return ended
