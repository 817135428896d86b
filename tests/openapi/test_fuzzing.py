"""Nothing that anybody sends gets an answer which the document does not say: asked inside of the test process."""

import pytest
import schemathesis
from flask import Flask

from tests.openapi.fuzzing import configured, failures_of, labels
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.web import create_app

KEY = "a-key-of-the-tests-that-is-long-enough"
HALVES = {"to send jobs": "^(submitting|batch)", "for all else": "^(?!submitting|batch)"}
"""Of operations, by their ids; as long as each other, so that two processes share the work."""


@pytest.fixture
def app(broker: JobBroker, settings: Settings) -> Flask:
    """The application, with a key: without one it refuses nobody."""
    return create_app(broker, Settings(**{**settings.model_dump(), "admin_key": KEY}))


@pytest.mark.fuzz
@pytest.mark.parametrize("half", HALVES)
def test_all_answers_are_those_of_the_document(app: Flask, half: str):
    schema = schemathesis.openapi.from_wsgi(
        "/openapi.json",
        app,
        config=configured(KEY, examples=15, in_process=True),
        headers={"Authorization": f"Bearer {KEY}"},
    ).include(operation_id_regex=HALVES[half])
    failures, asked = failures_of(schema)
    assert failures == []
    assert labels(schema) - asked == set()
