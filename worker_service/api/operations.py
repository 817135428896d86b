"""What people do to a job: stop it, put it back."""

import uuid

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker
from ..jobs.errors import JobFinished, NotReplayable
from ..settings import Settings
from ..store import Job
from .jobs import found, shown


def operations(broker: JobBroker, settings: Settings) -> Blueprint:
    """The routes that change a job."""
    routes = Blueprint("operations", __name__)

    @routes.post("/v1/jobs/<id>/cancel")
    def cancel(id: str) -> tuple[Response, int]:
        word = broker.store.cancel(id)
        job = found(broker, settings, id)
        if word == "finished":
            raise JobFinished(f"The job {id} is {job.state} already.")
        return jsonify(shown(broker, job)), 202 if word == "asked" else 200

    @routes.post("/v1/jobs/<id>/retry")
    def retry(id: str) -> tuple[Response, int]:
        (word,) = broker.store.replay([id], uuid.uuid4().hex)
        job = found(broker, settings, id)
        if word != "replayed":
            raise NotReplayable(_not_replayable(word, job))
        return jsonify(shown(broker, job)), 202

    return routes


def _not_replayable(word: str, job: Job) -> str:
    if word == "damaged":
        return f"The record of the job {job.id} is damaged: send it again."
    return f"The job {job.id} is {job.state}: only dead and cancelled jobs are put back."
