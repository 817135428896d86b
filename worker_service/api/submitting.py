"""The way in: ``POST /v1/jobs``."""

from flask import Blueprint, Response, jsonify, request

from ..broker.broker import JobBroker
from ..broker.intake import prepare, submit
from ..jobs.errors import (
    ActorNotAllowed,
    DuplicateJob,
    IdempotencyKeyReused,
    InvalidJob,
    NotDurable,
    QueueFull,
    StoreFull,
)
from ..settings import Settings
from ..store import NewJob, Submitted
from .answers import DuplicateJobJson, DuplicateReplayedJson, JobJson, ReplayedJson
from .body import json_object
from .documented import documented
from .durability import ABOUT_DURABILITY, read_level
from .idempotency import ABOUT_THE_KEY, read_idempotency
from .jobs import shown
from .prefer import ABOUT_PREFER, applied, wait_seconds
from .quotas import spend
from .representation import as_created, job_json, location, replayed_json
from .requests import ABOUT_THE_TRACE, JobRequest, read_job_request
from .waiting import Waiting

DUPLICATES = ("duplicate", "replaced")
"""Another job does the work that is asked for."""

ACCEPTED = {202: JobJson | ReplayedJson, 200: DuplicateJobJson | DuplicateReplayedJson}
"""What `accepted` answers, for documents."""
SENT = ("Location", "Idempotent-Replayed")
"""Headers of it."""
REFUSED = (ActorNotAllowed, InvalidJob, IdempotencyKeyReused, DuplicateJob, StoreFull)
"""What it raises, and the intake before it."""


def submitting(broker: JobBroker, settings: Settings, waiting: Waiting) -> Blueprint:
    """The route that creates jobs."""
    routes = Blueprint("submitting", __name__)

    @routes.post("/v1/jobs")
    @routes.post("/jobs")
    @documented(
        "Create a job.",
        ACCEPTED,
        body=JobRequest,
        headers=ABOUT_THE_KEY | ABOUT_DURABILITY | ABOUT_THE_TRACE | {"Prefer": ABOUT_PREFER},
        sends=(*SENT, "Preference-Applied"),
        problems=(*REFUSED, QueueFull, NotDurable),
    )
    def create() -> Response:
        body = json_object(request)
        wanted = read_job_request(body, request.headers)
        wanted.idempotency = read_idempotency(request.headers, body, settings)
        level = read_level(request.headers, broker)
        broker.vitals.check_memory()
        prepared = prepare(broker, wanted)
        spend(broker.store, "jobs", 1)
        job, submitted = prepared.job, submit(broker, prepared, level)
        response = accepted(broker, job, submitted)
        seconds = wait_seconds(request.headers)
        awaited = waiting.until_final(submitted.id or job.id, seconds) if seconds else None
        if seconds and awaited:
            found = shown(broker, awaited)
            is_other = submitted.word in DUPLICATES
            response.data = jsonify(DuplicateJobJson(**found, duplicate=True) if is_other else found).data
            response.headers.update(applied(seconds))
        return response

    return routes


def accepted(broker: JobBroker, job: NewJob, submitted: Submitted) -> Response:
    """The answer to a request for a job: made now, made when the request came before, or another one does its work."""
    response = jsonify(_answer(broker, job, submitted))
    response.status_code = 200 if submitted.word in DUPLICATES else 202
    response.headers["Location"] = location(submitted.id or job.id)
    if submitted.word == "replayed":
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _answer(broker: JobBroker, job: NewJob, submitted: Submitted) -> JobJson | ReplayedJson:
    if submitted.word == "replayed":
        return replayed_json(submitted)
    if submitted.word in DUPLICATES:
        other = broker.reads.job(submitted.id)
        if other is None:
            return DuplicateReplayedJson(**replayed_json(submitted), duplicate=True)
        return DuplicateJobJson(**shown(broker, other), duplicate=True)
    created = as_created(job, submitted.created_at_ms, follows=submitted.word == "follows")
    return job_json(created, broker.actors[job.actor].fn)
