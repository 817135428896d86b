"""Jobs that exist: lists, and one of them."""

from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from ..broker.broker import JobBroker
from ..jobs.errors import InvalidQuery, UnknownJob
from ..jobs.instants import to_text
from ..settings import Settings
from ..store import Job
from .answers import JobJson, JobPageJson, LogJson, LogLineJson
from .checked import checked_query
from .documented import documented
from .lists import ListQuery
from .representation import job_json

HOUR_MS = 3600 * 1000


def jobs(broker: JobBroker, settings: Settings) -> Blueprint:
    """The routes that read jobs."""
    routes = Blueprint("jobs", __name__)

    @routes.get("/v1/jobs")
    @documented(
        "List jobs, the newest first.",
        {200: JobPageJson},
        query=ListQuery,
        sends=("Link",),
        problems=(InvalidQuery,),
    )
    def index() -> Response:
        query = checked_query(ListQuery, request.args)
        page = broker.listing.page(query.limit, query.wanted(), after=query.cursor)
        cursor = page.next.to_text() if page.next else None
        items = [shown(broker, job) for job in page.jobs]
        listed = JobPageJson(items=items, next_cursor=cursor, truncated=page.truncated)
        response = jsonify(listed)
        if cursor:
            more = urlencode({**request.args.to_dict(), "cursor": cursor})
            response.headers["Link"] = f'</v1/jobs?{more}>; rel="next"'
        return response

    @routes.get("/v1/jobs/<id>")
    @routes.get("/jobs/<id>")
    @documented("Read a job.", {200: JobJson}, problems=(UnknownJob,))
    def show(id: str) -> Response:
        return jsonify(shown(broker, found(broker, settings, id)))

    @routes.get("/v1/jobs/<id>/log")
    @documented("Read the lines that a job's actor logged.", {200: LogJson}, problems=(UnknownJob,))
    def log(id: str) -> Response:
        found(broker, settings, id)
        lines: list[LogLineJson] = [
            {"at": to_text(at_ms), "number": number, "line": line}
            for at_ms, number, line in broker.reads.log(id)
        ]
        return jsonify(LogJson(items=lines))

    return routes


def found(broker: JobBroker, settings: Settings, id: str) -> Job:
    """The job with this id.

    Raises:
        UnknownJob: there is none; says how long jobs are kept.
    """
    job = broker.reads.job(id)
    if job is None:
        raise UnknownJob(f"No job has the id {id!r}: it never existed, or it was removed. {_kept(settings)}")
    return job


def shown(broker: JobBroker, job: Job) -> JobJson:
    """The job as JSON, its arguments under their names where the actor is known."""
    actor = broker.actors.get(job.actor)
    return job_json(job, actor.fn if actor else None)


def _kept(settings: Settings) -> str:
    parts = [
        f"{state} {milliseconds // HOUR_MS} h (newest {count})"
        for state, (milliseconds, count) in settings.retention.items()
    ]
    return f"Finished jobs are kept: {', '.join(parts)}."
