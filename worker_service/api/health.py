"""Whether the process lives, and whether it can do its work."""

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker
from ..jobs.errors import Draining, StoreUnfit
from .answers import StatusJson
from .documented import documented
from .waiting import Waiting


def health(broker: JobBroker, waiting: Waiting) -> Blueprint:
    """The routes of health."""
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    @documented("Ask whether the process lives.", {200: StatusJson})
    def live() -> Response:
        """Asks nobody: a restart of this process would not bring Redis back."""
        return jsonify(StatusJson(status="ok"))

    @routes.get("/readyz")
    @documented(
        "Ask whether the process can do its work.", {200: StatusJson}, problems=(Draining, StoreUnfit)
    )
    def ready() -> Response:
        """Asks Redis; open to all, so nothing is said of where it is."""
        if waiting.is_over:
            raise Draining("This process stops: send no more requests to it.")
        broker.reads.check_fitness()
        return jsonify(StatusJson(status="ok"))

    return routes
