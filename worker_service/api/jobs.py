"""Jobs that exist: lists, and one of them."""

from dataclasses import replace

from flask import Blueprint, Response, jsonify, request

from ..broker.broker import JobBroker
from ..jobs.errors import InvalidQuery, JobNotFinished, JobNotSucceeded, UnknownJob
from ..jobs.instants import to_text
from ..jobs.masking import is_sensitive
from ..jobs.signature import parameters
from ..jobs.states import State
from ..settings import Settings
from ..store import Job
from .answers import JobJson, JobPageJson, LogJson, LogLineJson, ResultJson
from .checked import checked_query
from .documented import documented
from .lists import ListQuery, paged
from .prefer import ABOUT_PREFER, applied, wait_seconds
from .representation import job_json
from .waiting import Waiting

HOUR_MS = 3600 * 1000


def jobs(broker: JobBroker, settings: Settings, waiting: Waiting) -> Blueprint:
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
        wanted = query.wanted()
        if query.q or query.arg:
            wanted = replace(wanted, searched=_searched(broker))
        page = broker.listing.page(query.limit, wanted, after=query.cursor)
        cursor = page.next.to_text() if page.next else None
        items = [shown(broker, job) for job in page.jobs]
        return paged(JobPageJson(items=items, next_cursor=cursor, truncated=page.truncated), "/v1/jobs")

    @routes.get("/v1/jobs/<id>")
    @routes.get("/jobs/<id>")
    @documented(
        "Read a job, or wait for its end.",
        {200: JobJson, 304: ""},
        headers={"Prefer": ABOUT_PREFER, "If-None-Match": "An `ETag`: 304 while the job is the same."},
        sends=("ETag", "Preference-Applied"),
        problems=(UnknownJob,),
    )
    def show(id: str) -> Response:
        job = found(broker, settings, id)
        seconds = wait_seconds(request.headers)
        awaited = waiting.until_final(id, seconds) if seconds and not job.is_final else job
        answer = shown(broker, awaited or found(broker, settings, id))
        response = jsonify(answer)
        if seconds and awaited:
            response.headers.update(applied(seconds))
        response.set_etag(answer["version"])
        response.make_conditional(request)
        return response

    @routes.get("/v1/jobs/<id>/result")
    @documented(
        "What the actor of a job has returned.",
        {200: ResultJson},
        problems=(UnknownJob, JobNotFinished, JobNotSucceeded),
    )
    def result(id: str) -> Response:
        job = found(broker, settings, id)
        if not job.is_final:
            raise JobNotFinished(f"The job {id} is {job.state}: it has no result yet.")
        if job.state is not State.SUCCEEDED:
            why = f" ({job.reason})" if job.reason else ""
            raise JobNotSucceeded(f"The job {id} is {job.state}{why}: it has no result.")
        return jsonify(ResultJson(result=shown(broker, job)["result"]))

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


def _searched(broker: JobBroker) -> dict[str, tuple[str, ...]]:
    """Actors whose arguments may be looked at, with the names of those."""
    return {
        name: tuple(parameters(actor.fn))
        for name, actor in broker.actors.items()
        if not is_sensitive(actor.fn)
    }


def _kept(settings: Settings) -> str:
    parts = [
        f"{state} {milliseconds // HOUR_MS} h (newest {count})"
        for state, (milliseconds, count) in settings.retention.items()
    ]
    return f"Finished jobs are kept: {', '.join(parts)}."
