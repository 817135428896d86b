"""Jobs that exist: lists, one of them, and what can be done to it."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from ..broker.broker import JobBroker
from ..jobs.errors import JobFinished, UnknownJob
from ..settings import Settings
from ..store import Job
from .lists import read_list_query
from .representation import job_json

HOUR_MS = 3600 * 1000


def jobs(broker: JobBroker, settings: Settings) -> Blueprint:
    """The routes of jobs."""
    routes = Blueprint("jobs", __name__)

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
        return jsonify(_json(_found(id)))

    @routes.post("/v1/jobs/<id>/cancel")
    def cancel(id: str) -> tuple[Response, int]:
        word = broker.store.cancel(id)
        job = _found(id)
        if word == "finished":
            raise JobFinished(f"The job {id} is {job.state} already.")
        return jsonify(_json(job)), 202 if word == "asked" else 200

    def _found(id: str) -> Job:
        job = broker.reads.job(id)
        if job is None:
            raise UnknownJob(
                f"No job has the id {id!r}: it never existed, or it was removed. {_kept(settings)}"
            )
        return job

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
