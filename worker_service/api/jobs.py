"""Jobs over HTTP."""

import time

from flask import Blueprint, Response, jsonify, request

from ..broker.broker import JobBroker
from ..broker.intake import submit
from ..jobs.errors import UnknownJob
from ..settings import Settings
from .body import json_object
from .representation import as_created, job_json, location
from .requests import read_job_request

HOUR_MS = 3600 * 1000


def jobs(broker: JobBroker, settings: Settings) -> Blueprint:
    """The routes of jobs."""
    routes = Blueprint("jobs", __name__)

    @routes.post("/v1/jobs")
    @routes.post("/jobs")
    def create() -> Response:
        wanted = read_job_request(json_object(request), request.headers)
        job = submit(broker, wanted)
        fn = broker.actors[job.actor].fn
        response = jsonify(job_json(as_created(job, time.time_ns() // 1_000_000), fn))
        response.status_code = 202
        response.headers["Location"] = location(job.id)
        return response

    @routes.get("/v1/jobs/<id>")
    @routes.get("/jobs/<id>")
    def show(id: str) -> Response:
        job = broker.reads.job(id)
        if job is None:
            raise UnknownJob(
                f"No job has the id {id!r}: it never existed, or it was removed. {_kept(settings)}"
            )
        actor = broker.actors.get(job.actor)
        return jsonify(job_json(job, actor.fn if actor else None))

    return routes


def _kept(settings: Settings) -> str:
    parts = [
        f"{state} {milliseconds // HOUR_MS} h (newest {count})"
        for state, (milliseconds, count) in settings.retention.items()
    ]
    return f"Finished jobs are kept: {', '.join(parts)}."
