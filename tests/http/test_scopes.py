"""Every route, asked with every kind of key: who may is what the table says, and nothing breaks."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.http.keys import ADMIN_KEY, a_key, api_keys, bearer, made
from worker_service.api.scopes import OPEN, SCOPES, Scope
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.web import create_app

LONG_AGO = 1_000_000_000_000
STRANGER = f"wsk_{'0' * 12}_{'x' * 43}"


@pytest.fixture
def app(broker: JobBroker, settings: Settings) -> Flask:
    return create_app(broker, Settings(**{**settings.model_dump(), "admin_key": ADMIN_KEY}))


def asked(app: Flask) -> Iterator[tuple[str, str, Scope | None]]:
    """Method, path and scope of every operation; a route that is added is among them by itself."""
    for rule in app.url_map.iter_rules():
        for method in sorted(
            (rule.methods or set()) - {"OPTIONS"}
        ):  # which Flask answers for a path, whoever may
            yield method, path_of(app, rule), SCOPES[rule.endpoint]


def path_of(app: Flask, rule: Rule) -> str:
    """The rule with something in each of its places."""
    values = {}
    for name in rule.arguments:
        choices = getattr(rule._converters[name], "items", None)
        values[name] = min(choices) if choices else "x"
    with app.test_request_context():
        adapter = app.url_map.bind("localhost")
        built = adapter.build(rule.endpoint, values, method=min(rule.methods or {"GET"}))
    return built if "<" in rule.rule else rule.rule


def status(client: FlaskClient, method: str, path: str, key: str | None) -> int:
    headers = {} if key is None else bearer(key)
    answer = client.open(path, method=method, headers=headers, buffered=False)
    answer.close()  # a stream would not end
    return answer.status_code


def test_the_walk_goes_over_every_operation_of_the_table(app: Flask):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(SCOPES)
    assert len(set(asked(app))) > len(SCOPES)


@pytest.mark.parametrize("kind", ["none", "wrong", "unknown", "expired", "revoked", "rotated"])
def test_without_a_right_key_only_what_is_open_is_answered(app: Flask, broker: JobBroker, kind: str):
    client, key = app.test_client(), wrong_key(broker, kind)
    for method, path, scope in asked(app):
        found = status(client, method, path, key)
        if scope is OPEN:
            assert found not in (401, 403) or path == "/login", (method, path, found)
        else:
            assert found == 401, (method, path, found)


def wrong_key(broker: JobBroker, kind: str) -> str | None:
    key, secret = made(broker, "admin")
    if kind == "expired":
        return a_key(broker, "admin", expires_in_ms=1000, now_ms=LONG_AGO)
    if kind == "revoked":
        api_keys(broker).revoke(key.id)
    if kind == "rotated":
        api_keys(broker).rotate(key.id)
    return {"none": None, "wrong": "x" * 30, "unknown": STRANGER}.get(kind, secret)


@pytest.mark.parametrize("scope", list(Scope))
def test_a_scope_opens_what_the_table_says_and_nothing_else(app: Flask, broker: JobBroker, scope: Scope):
    client, key = app.test_client(), a_key(broker, scope)
    for method, path, needed in asked(app):
        found = status(client, method, path, key)
        may = needed is OPEN or scope in (needed, Scope.ADMIN)
        assert (found == 403) == (not may), (method, path, found)
        assert found != 401 or path == "/login", (method, path, found)
        assert found < 500, (method, path, found)


def test_the_admin_key_opens_everything(app: Flask):
    client = app.test_client()
    for method, path, _ in asked(app):
        found = status(client, method, path, ADMIN_KEY)
        assert found not in (401, 403) or path == "/login", (method, path, found)
