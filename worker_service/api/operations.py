"""What people do to a job: stop it, put it back, remove it."""

import hashlib
import uuid
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict

from ..broker.broker import JobBroker
from ..broker.intake import replay_as
from ..jobs.errors import (
    ActorNotAllowed,
    DuplicateJob,
    IdempotencyKeyReused,
    InvalidJob,
    InvalidQuery,
    JobFinished,
    JobNotFinished,
    JobNotWaiting,
    NotReplayable,
    UnknownJob,
    WorkerServiceError,
)
from ..settings import Settings
from ..store import Job
from .answers import JobJson
from .body import json_object_if_any
from .checked import NoFields, checked
from .documented import documented
from .idempotency import ABOUT_THE_KEY, read_idempotency
from .jobs import found, shown
from .principal import current_principal
from .representation import arguments_of, location

_RETRIES = uuid.UUID("7a9c7d5e-5d0c-4a55-9d3e-2f6a1c0b8e41")
"""Of the ids that repeated requests lead to (UUID version 5)."""


_WAITS_FOR_NO_TIME = {
    "running": "is running already",
    "locked": "waits for the end of another job that does the same work (unique), not for its time",
    "damaged": "has a damaged record: the doctor repairs it",
}


class RetryRequest(BaseModel):
    """The body of ``POST /v1/jobs/{id}/retry``, which may be left out."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"args": {"x": 2, "y": 3}}]})

    args: dict[str, Any] | None = None


def operations(broker: JobBroker, settings: Settings) -> Blueprint:
    """The routes that change a job."""
    routes = Blueprint("operations", __name__)

    @routes.post("/v1/jobs/<id>/cancel")
    @documented(
        "Stop a job: at once (200), or while it runs by an interrupt (202).",
        {200: JobJson, 202: JobJson},
        body=NoFields,
        body_required=False,
        problems=(UnknownJob, JobFinished),
    )
    def cancel(id: str) -> tuple[Response, int]:
        word = broker.store.cancel(id)
        job = found(broker, settings, id)
        if word == "finished":
            raise JobFinished(f"The job {id} is {job.state} already.")
        return jsonify(shown(broker, job)), 202 if word == "asked" else 200

    @routes.post("/v1/jobs/<id>/retry")
    @documented(
        "Put a dead or cancelled job back, or with args run it as a new job.",
        {202: JobJson},
        sends=("Location",),
        body=RetryRequest,
        body_required=False,
        headers=ABOUT_THE_KEY,
        problems=(
            UnknownJob,
            InvalidJob,
            InvalidQuery,
            IdempotencyKeyReused,
            NotReplayable,
            DuplicateJob,
            ActorNotAllowed,
        ),
    )
    def retry(id: str) -> tuple[Response, int, dict[str, str]]:
        body = json_object_if_any(request)
        args = checked(RetryRequest, body).args
        check_may_run(broker, settings, id)
        asked = read_idempotency(request.headers, body, settings)
        nonce = hashlib.sha256(asked.name.encode()).hexdigest()[:32] if asked else uuid.uuid4().hex
        if args is None:
            _put_back(broker, settings, id, nonce)
            new_id = id
        else:
            new_id = _run_again(broker, settings, id, args, nonce)
        return jsonify(shown(broker, found(broker, settings, new_id))), 202, {"Location": location(new_id)}

    @routes.post("/v1/jobs/<id>/run-now")
    @documented(
        "Let a job run that waits for its time.",
        {202: JobJson},
        body=NoFields,
        body_required=False,
        problems=(UnknownJob, JobFinished, JobNotWaiting, ActorNotAllowed),
    )
    def run_now(id: str) -> tuple[Response, int]:
        check_may_run(broker, settings, id)
        word = broker.store.run_now(id)
        job = found(broker, settings, id)
        if word == "finished":
            raise JobFinished(f"The job {id} is {job.state} already.")
        if word != "queued":
            raise JobNotWaiting(f"The job {id} {_WAITS_FOR_NO_TIME[word]}.")
        return jsonify(shown(broker, job)), 202

    @routes.delete("/v1/jobs/<id>")
    @documented("Remove a finished job.", {204: ""}, problems=(UnknownJob, JobNotFinished))
    def delete(id: str) -> tuple[str, int]:
        (word,) = broker.store.delete([id])
        if word != "deleted":
            job = found(broker, settings, id)
            raise JobNotFinished(
                f"The job {id} is {job.state}: only finished jobs are removed. Cancel it first."
            )
        return "", 204

    return routes


def check_may_run(broker: JobBroker, settings: Settings, id: str) -> None:
    """Whether who asks may make a job of this one's actor run.

    Raises:
        ActorNotAllowed: the key is for other actors.
        UnknownJob: there is no such job.
    """
    principal = current_principal()
    if principal.actors is not None:
        principal.check_actor(found(broker, settings, id).actor)


def _put_back(broker: JobBroker, settings: Settings, id: str, nonce: str) -> None:
    (word,) = broker.store.replay([id], nonce)
    if word != "replayed":
        job = found(broker, settings, id)
        raise _refusal(word, job, broker.reads.owner(job.unique_key or "") or "")


def _run_again(broker: JobBroker, settings: Settings, id: str, args: dict[str, Any], nonce: str) -> str:
    """The id of the new job; a request that comes again leads to the same one."""
    new_id = str(uuid.uuid5(_RETRIES, f"{id}/{nonce}"))
    word, owner = replay_as(broker, found(broker, settings, id), args, new_id)
    if word != "replayed":
        raise _refusal(word, found(broker, settings, id), owner)
    made = found(broker, settings, new_id)
    if arguments_of(made, broker.actors[made.actor].fn) != args:
        raise IdempotencyKeyReused("This Idempotency-Key came with other arguments before.")
    return new_id


def _refusal(word: str, job: Job, owner: str) -> WorkerServiceError:
    if word == "locked":
        return DuplicateJob(f"The job {owner} does the work of {job.id} meanwhile.", owner)
    if word == "damaged":
        return NotReplayable(f"The record of the job {job.id} is damaged: send it again.")
    if word == "has_steps":
        steps = ", ".join(step.name for step in job.steps)
        return NotReplayable(
            f"The job {job.id} has begun or done what must happen once ({steps}), which a new job would do again: put "
            "it back without args, or send a new job."
        )
    return NotReplayable(f"The job {job.id} is {job.state}: only dead and cancelled jobs are put back.")
