"""What the intake says to the arguments of the built-in actors."""

import inspect
from typing import Any

import dramatiq
import pytest
from flask import Flask
from flask.testing import FlaskClient

from worker_service import actors
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.web import create_app

MAIL = {"to": "ann@example.org", "subject": "Hi", "text": "Hello"}
IMAGE = {"source": "a.jpg", "width": 100, "height": 100}


@pytest.fixture
def app(broker: JobBroker, settings: Settings) -> Flask:
    """The application, with the built-in actors on the test's own server."""
    for actor in (actors.send_email, actors.resize_image):
        dramatiq.actor(broker=broker, actor_name=actor.actor_name, queue_name=actor.queue_name)(
            inspect.unwrap(actor.fn)
        )
    return create_app(broker, settings)


@pytest.mark.parametrize(
    ("actor", "args", "queue"),
    [
        ("send_email", MAIL, "emails"),
        ("send_email", {**MAIL, "to": ["ann@example.org", "bob@example.org"], "html": "<p>"}, "emails"),
        ("send_email", {"to": "ann@example.org", "template": "hi", "values": {"name": "Ann"}}, "emails"),
        ("resize_image", IMAGE, "reports"),
        ("resize_image", {**IMAGE, "width": 10_000, "height": 1, "format": "webp"}, "reports"),
        ("resize_image", {**IMAGE, "format": None}, "reports"),
        ("resize_image", {"source": "a.jpg", "sizes": [[1200, 1200], [300, 300]]}, "reports"),
    ],
)
def test_right_arguments_are_accepted(client: FlaskClient, actor: str, args: dict[str, Any], queue: str):
    answer = client.post("/v1/jobs", json={"actor": actor, "args": args})
    assert answer.status_code == 202, answer.text
    assert answer.get_json()["queue"] == queue


@pytest.mark.parametrize(
    ("actor", "args", "pointer"),
    [
        ("send_email", {**MAIL, "to": 5}, "/args/to"),
        ("send_email", {**MAIL, "to": []}, "/args/to"),
        ("send_email", {**MAIL, "to": ["ann@example.org", None]}, "/args/to/1"),
        ("send_email", {**MAIL, "cc": "bob@example.org"}, "/args/cc"),
        ("send_email", {"subject": "Hi", "text": "Hello"}, "/args/to"),
        ("send_email", {"to": "ann@example.org", "template": "hi", "values": ["Ann"]}, "/args/values"),
        ("resize_image", {**IMAGE, "width": 0}, "/args/width"),
        ("resize_image", {**IMAGE, "height": 10_001}, "/args/height"),
        ("resize_image", {**IMAGE, "width": "100"}, "/args/width"),
        ("resize_image", {**IMAGE, "format": "bmp"}, "/args/format"),
        ("resize_image", {"source": "a.jpg", "sizes": []}, "/args/sizes"),
        ("resize_image", {"source": "a.jpg", "sizes": [[300, 300], [300, 0]]}, "/args/sizes/1/1"),
    ],
)
def test_wrong_arguments_are_refused_by_name(
    client: FlaskClient, actor: str, args: dict[str, Any], pointer: str
):
    answer = client.post("/v1/jobs", json={"actor": actor, "args": args})
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.get_json()["errors"]]
