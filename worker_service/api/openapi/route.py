"""``/openapi.json``."""

from functools import cache
from typing import Any

from flask import Blueprint, Response, current_app, jsonify

from ...broker.broker import JobBroker
from ..documented import documented
from .document import document


def openapi(broker: JobBroker) -> Blueprint:
    """The route of the document."""
    routes = Blueprint("openapi", __name__)

    @cache  # routes and actors stay as they are
    def made() -> dict[str, Any]:
        return document(current_app, broker)

    @routes.get("/openapi.json")
    @documented("Read this document.", {200: dict[str, Any]})
    def show() -> Response:
        return jsonify(made())

    return routes
