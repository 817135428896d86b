"""A Flask view that sends one command to Redis, on the server that worker-service runs on: what nobody who stores a job
can go below."""

import os

import redis
from flask import Flask, request


def create_app() -> Flask:
    """An application that stores each body under one key."""
    app = Flask(__name__)
    client = redis.Redis.from_url(os.environ["JOBS_REDIS_URL"])

    @app.post("/v1/jobs")
    def create() -> tuple[str, int]:
        client.set("body", request.get_data())
        return "", 202

    return app
