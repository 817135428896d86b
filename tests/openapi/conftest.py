"""The document of the application with the actors of the tests, and a way to check against it."""

from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.http.actors import ACTORS
from worker_service.api.openapi import document as make_document
from worker_service.broker import bulk
from worker_service.broker.broker import JobBroker
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.web import create_app


@pytest.fixture
def settings(redis_url: str, namespace: str) -> Settings:
    """Settings of a namespace of its own."""
    return Settings(redis_url=redis_url, namespace=namespace)


@pytest.fixture
def broker(settings: Settings) -> Iterator[JobBroker]:
    """A broker that knows the actors of tests/http/actors.py."""
    made = a_broker(settings)
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


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The OpenAPI document of such an application; it depends on no store."""
    nowhere = Settings(redis_url="redis://127.0.0.1:1/0")
    broker = a_broker(nowhere)
    return make_document(create_app(broker, nowhere), broker)


def a_broker(settings: Settings) -> JobBroker:
    """With the actors of tests/http/actors.py."""
    made = JobBroker(settings, default_middleware())
    for fn, options in ACTORS.items():
        dramatiq.actor(broker=made, **options)(fn)
    bulk.declare(made)
    return made
