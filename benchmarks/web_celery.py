"""A Flask view that hands a job to Celery, in an environment of its own."""

import os
from typing import Any

from celery import Celery
from flask import Flask, request

app = Celery("bench", broker=os.environ["BENCH_REDIS_URL"].replace("unix://", "redis+socket://"))
app.conf.task_ignore_result = True


@app.task
def nothing(payload: str = "") -> None:
    """The job whose cost is all overhead."""


def create_app() -> Flask:
    """An application that checks and remembers nothing."""
    web = Flask(__name__)

    @web.post("/v1/jobs")
    def create() -> tuple[dict[str, Any], int]:
        return {"id": nothing.delay(**request.get_json()["args"]).id}, 202

    return web
