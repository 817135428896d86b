"""Applications that ask for keys, and keys for them."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.store import ApiKey, ApiKeys
from worker_service.web import create_app

ADMIN_KEY = "correct=horse:battery-staple"


def guarded_client(broker: JobBroker, settings: Settings, **more: Any) -> FlaskClient:
    """Asks an application that has an admin key, and these further settings."""
    given = {**settings.model_dump(), "admin_key": ADMIN_KEY, **more}
    return create_app(broker, Settings(**given)).test_client()


def bearer(key: str) -> dict[str, str]:
    """The header that shows a key."""
    return {"Authorization": f"Bearer {key}"}


def api_keys(broker: JobBroker) -> ApiKeys:
    """The keys in the store of an application."""
    return ApiKeys(broker.store.client, broker.store.namespace)


def made(broker: JobBroker, *scopes: str, **more: Any) -> tuple[ApiKey, str]:
    """A new key and its secret."""
    return api_keys(broker).add("a key", scopes, **more)


def a_key(broker: JobBroker, *scopes: str, **more: Any) -> str:
    """The secret of a new key."""
    return made(broker, *scopes, **more)[1]


def cookie_of(answer: TestResponse) -> str:
    """The cookie that an answer sets, as it is written in the header."""
    (cookie,) = answer.headers.getlist("Set-Cookie")
    return cookie
