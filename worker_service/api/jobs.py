"""Jobs over HTTP."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from ..broker.broker import JobBroker
from ..broker.intake import submit
from ..jobs.errors import UnknownJob
from ..settings import Settings
from ..store import Job
from .body import json_object
from .idempotency import read_idempotency
from .lists import read_list_query
from .representation import as_created, job_json, location, replayed_json
from .requests import read_job_request

HOUR_MS = 3600 * 1000


def jobs(broker: JobBroker, settings: Settings) -> Blueprint:
    """The routes of jobs."""
    routes = Blueprint("jobs", __name__)

    @routes.post("/v1/jobs")
    @routes.post("/jobs")
    def create() -> Response:
        body = json_object(request)
        wanted = read_job_request(body, request.headers)
        wanted = replace(wanted, idempotency=read_idempotency(request.headers, body, settings))
        job, submitted = submit(broker, wanted)
        if submitted.word == "replayed":
            response = jsonify(replayed_json(submitted))
            response.headers["Idempotent-Replayed"] = "true"
        else:
            response = jsonify(
                job_json(as_created(job, submitted.created_at_ms), broker.actors[job.actor].fn)
            )
        response.status_code = 202
        response.headers["Location"] = location(submitted.id or job.id)
        return response

    @routes.get("/v1/jobs")
    def index() -> Response:
        query = read_list_query(request.args)
        page = broker.listing.page(
            query.limit, state=query.state, queue=query.queue, actor=query.actor, after=query.cursor
        )
        cursor = page.next.to_text() if page.next else None
        response = jsonify(
            {"items": [_json(job) for job in page.jobs], "next_cursor": cursor, "truncated": page.truncated}
        )
        if cursor:
            more = urlencode({**request.args.to_dict(), "cursor": cursor})
            response.headers["Link"] = f'</v1/jobs?{more}>; rel="next"'
        return response

    @routes.get("/v1/jobs/<id>")
    @routes.get("/jobs/<id>")
    def show(id: str) -> Response:
        job = broker.reads.job(id)
        if job is None:
            raise UnknownJob(
                f"No job has the id {id!r}: it never existed, or it was removed. {_kept(settings)}"
            )
        return jsonify(_json(job))

    def _json(job: Job) -> dict[str, Any]:
        actor = broker.actors.get(job.actor)
        return job_json(job, actor.fn if actor else None)

    return routes


def _kept(settings: Settings) -> str:
    parts = [
        f"{state} {milliseconds // HOUR_MS} h (newest {count})"
        for state, (milliseconds, count) in settings.retention.items()
    ]
    return f"Finished jobs are kept: {', '.join(parts)}."
