"""Whether the process lives, and whether it can do its work."""

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker


def health(broker: JobBroker) -> Blueprint:
    """The routes of health."""
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    def live() -> Response:
        """Asks nobody: a restart of this process would not bring Redis back."""
        return jsonify({"status": "ok"})

    @routes.get("/readyz")
    def ready() -> Response:
        """Asks Redis; open to all, so nothing is said of where it is."""
        broker.reads.check_fitness()
        return jsonify({"status": "ok"})

    return routes
