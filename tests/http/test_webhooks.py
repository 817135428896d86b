"""What the intake says to a webhook."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from tests.receiver import SECRET
from worker_service.settings import Settings

JOB = {"actor": "add", "args": {"x": 1}}


@pytest.fixture
def settings(redis_url: str, namespace: str) -> Settings:
    """Settings with a secret."""
    return Settings(redis_url=redis_url, namespace=namespace, webhook_secrets=SecretStr(SECRET))


@pytest.mark.parametrize(
    "webhook",
    [{"url": "https://example.org/hook"}, {"url": "http://[2001:db8::1]:8080/a?b=%20c", "events": ["dead"]}],
)
def test_job_with_a_webhook_is_accepted(client: FlaskClient, webhook: dict[str, Any]):
    answer = client.post("/v1/jobs", json={**JOB, "webhook": webhook})
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    ("webhook", "pointer"),
    [
        ("https://example.org/", "/webhook"),
        ({}, "/webhook/url"),
        ({"url": "ftp://example.org/"}, "/webhook/url"),
        ({"url": "https://me:secret@example.org/"}, "/webhook/url"),
        ({"url": "https://example.org/", "events": ["done"]}, "/webhook/events/0"),
        ({"url": "https://example.org/", "event": ["dead"]}, "/webhook/event"),
    ],
)
def test_mistakes_are_named(client: FlaskClient, webhook: Any, pointer: str):
    answer = client.post("/v1/jobs", json={**JOB, "webhook": webhook})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]
    assert "secret" not in answer.text


def test_null_is_none(client: FlaskClient):
    assert client.post("/v1/jobs", json={**JOB, "webhook": None}).status_code == 202


class TestWithoutASecret:
    @pytest.fixture
    def settings(self, redis_url: str, namespace: str) -> Settings:
        """Settings without one."""
        return Settings(redis_url=redis_url, namespace=namespace)

    def test_it_is_refused_and_says_what_to_set(self, client: FlaskClient, settings: Settings):
        answer = client.post("/v1/jobs", json={**JOB, "webhook": {"url": "https://example.org/"}})
        assert answer.status_code == 422
        [error] = answer.get_json()["errors"]
        assert (error["pointer"], error["code"]) == ("/webhook", "no_webhook_secret")
        assert "JOBS_WEBHOOK_SECRETS" in error["detail"]
