"""An empty Flask view, on the server that worker-service runs on."""

from flask import Flask


def create_app() -> Flask:
    """An application that answers and does nothing else."""
    app = Flask(__name__)

    @app.post("/v1/jobs")
    def create() -> tuple[str, int]:
        return "", 202

    return app
