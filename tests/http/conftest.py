"""The application over a real server, with actors of the tests' own."""

from collections.abc import Iterator

import dramatiq
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.actors import ACTORS
from worker_service.broker import bulk, webhooks
from worker_service.broker.broker import JobBroker
from worker_service.embedded import EmbeddedServer
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.store import Schedules
from worker_service.web import create_app


@pytest.fixture
def settings(redis_url: str, namespace: str) -> Settings:
    """Settings of a namespace of its own."""
    return Settings(redis_url=redis_url, namespace=namespace)


@pytest.fixture
def broken_server(server_binary: str | None) -> Iterator[EmbeddedServer]:
    """A server that a test may kill."""
    with EmbeddedServer(binary=server_binary, appendonly=False) as server:
        yield server


@pytest.fixture
def broker(settings: Settings) -> Iterator[JobBroker]:
    """A broker that knows the actors of actors.py."""
    made = JobBroker(settings, default_middleware())
    for fn, options in ACTORS.items():
        dramatiq.actor(broker=made, **options)(fn)
    bulk.declare(made)
    webhooks.declare(made, settings)
    yield made
    made.close()


@pytest.fixture
def app(broker: JobBroker, settings: Settings) -> Flask:
    """The application."""
    return create_app(broker, settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Asks the application without a socket."""
    return app.test_client()


@pytest.fixture
def schedules(broker: JobBroker) -> Schedules:
    """The store's side of it."""
    return Schedules(broker.store.client, broker.store.namespace)
