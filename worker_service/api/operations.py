"""What people do to a job: stop it, put it back, remove it."""

import uuid
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict

from ..broker.broker import JobBroker
from ..broker.intake import replay_as
from ..jobs.errors import DuplicateJob, JobFinished, JobNotFinished, NotReplayable
from ..settings import Settings
from ..store import Job
from .body import json_object_if_any
from .checked import checked
from .jobs import found, shown
from .representation import location


class RetryRequest(BaseModel):
    """The body of ``POST /v1/jobs/{id}/retry``, which may be left out."""

    model_config = ConfigDict(extra="forbid")

    args: dict[str, Any] | None = None


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
    def retry(id: str) -> tuple[Response, int, dict[str, str]]:
        args = checked(RetryRequest, json_object_if_any(request)).args
        if args is None:
            new_id, (word,) = id, broker.store.replay([id], uuid.uuid4().hex)
        else:
            new_id, word = replay_as(broker, found(broker, settings, id), args)
        if word == "locked":
            raise _locked(broker, found(broker, settings, id))
        if word != "replayed":
            raise NotReplayable(_not_replayable(word, found(broker, settings, id)))
        return jsonify(shown(broker, found(broker, settings, new_id))), 202, {"Location": location(new_id)}

    @routes.delete("/v1/jobs/<id>")
    def delete(id: str) -> tuple[str, int]:
        (word,) = broker.store.delete([id])
        if word != "deleted":
            job = found(broker, settings, id)
            raise JobNotFinished(
                f"The job {id} is {job.state}: only finished jobs are removed. Cancel it first."
            )
        return "", 204

    return routes


def _locked(broker: JobBroker, job: Job) -> DuplicateJob:
    owner = broker.reads.owner(job.unique_key or "") or ""
    return DuplicateJob(f"The job {owner} does the work of {job.id} meanwhile.", owner)


def _not_replayable(word: str, job: Job) -> str:
    if word == "damaged":
        return f"The record of the job {job.id} is damaged: send it again."
    return f"The job {job.id} is {job.state}: only dead and cancelled jobs are put back."
