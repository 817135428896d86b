"""The way in: ``POST /v1/jobs``."""

from dataclasses import replace

from flask import Blueprint, Response, jsonify, request

from ..broker.broker import JobBroker
from ..broker.intake import submit
from ..settings import Settings
from ..store import NewJob, Submitted
from .body import json_object
from .idempotency import read_idempotency
from .representation import as_created, job_json, location, replayed_json
from .requests import read_job_request


def submitting(broker: JobBroker, settings: Settings) -> Blueprint:
    """The route that creates jobs."""
    routes = Blueprint("submitting", __name__)

    @routes.post("/v1/jobs")
    @routes.post("/jobs")
    def create() -> Response:
        body = json_object(request)
        wanted = read_job_request(body, request.headers)
        wanted = replace(wanted, idempotency=read_idempotency(request.headers, body, settings))
        return accepted(broker, *submit(broker, wanted))

    return routes


def accepted(broker: JobBroker, job: NewJob, submitted: Submitted) -> Response:
    """The answer to a request that made a job, now or when it was sent before."""
    if submitted.word == "replayed":
        response = jsonify(replayed_json(submitted))
        response.headers["Idempotent-Replayed"] = "true"
    else:
        created = as_created(job, submitted.created_at_ms)
        response = jsonify(job_json(created, broker.actors[job.actor].fn))
    response.status_code = 202
    response.headers["Location"] = location(submitted.id or job.id)
    return response
