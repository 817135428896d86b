"""Streams: what happens to one job, and what kind of thing changes."""

from flask import Blueprint, Response, request

from ..broker.broker import JobBroker
from ..jobs.errors import TooManyWaiting, UnknownJob
from ..settings import Settings
from ..store import LOST
from .documented import documented
from .job_history import Seen, has_seen_all, new_events, removed_event
from .jobs import found, shown
from .streams import MEDIA_TYPE, Look, event, stream
from .waiting import Waiting

TOPICS = ("jobs", "queues", "workers", "schedules")
JOB_GAP_SECONDS = 0.05
CHANGES_GAP_SECONDS = 0.25


def events(broker: JobBroker, settings: Settings, waiting: Waiting) -> Blueprint:
    """The routes of streams."""
    routes = Blueprint("events", __name__)

    @routes.get("/v1/jobs/<id>/events")
    @documented(
        "Stream what happens to a job, until it has ended: state, progress, log, done.",
        {200: MEDIA_TYPE, 204: ""},
        headers={
            "Last-Event-ID": "The id of the newest event that was received: the stream goes on after it."
        },
        problems=(UnknownJob, TooManyWaiting),
    )
    def job(id: str) -> Response:
        seen = Seen.from_text(request.headers.get("Last-Event-ID", ""))
        if has_seen_all(found(broker, settings, id), seen):
            return Response(status=204)  # tells the client not to come again
        return stream(
            waiting, lambda: waiting.watcher.job(id), _look_at(broker, id, seen), gap=JOB_GAP_SECONDS
        )

    @routes.get("/v1/events")
    @documented(
        "Stream what kind of thing changes: jobs, queues, workers, schedules. All four at the beginning.",
        {200: MEDIA_TYPE},
        problems=(TooManyWaiting,),
    )
    def changes() -> Response:
        return stream(waiting, waiting.watcher.changes, _changed, gap=CHANGES_GAP_SECONDS)

    return routes


def _look_at(broker: JobBroker, id: str, seen: Seen) -> Look:
    def look(_: set[str]) -> tuple[str, bool]:
        nonlocal seen
        job = broker.reads.job(id)
        if job is None:
            return removed_event(id), True
        lines = broker.reads.log_after(id, seen.line)  # after the job: of one that has ended all are there
        text = ""
        for told, then in new_events(job, lines, seen, shown(broker, job) if job.is_final else None):
            text += told
            seen = then
        return text, job.is_final

    return look


def _changed(heard: set[str]) -> tuple[str, bool]:
    topics = TOPICS if LOST in heard else [topic for topic in TOPICS if topic in heard]
    return "".join(event(topic) for topic in topics), False
