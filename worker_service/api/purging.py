"""The purge of a queue over HTTP: what waits in it is cancelled."""

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict

from ..broker.broker import JobBroker
from ..broker.bulk import submit
from ..jobs.errors import InvalidQuery, UnknownQueue
from ..jobs.states import WAITING
from ..settings import Settings
from ..store import JobFilter
from .answers import PurgedJson
from .body import json_object
from .checked import checked
from .documented import documented
from .jobs import found, shown
from .queues import check_queue
from .representation import location

MOST_AT_ONCE = 10_000
"""Jobs that are cancelled before the answer: a fraction of a second."""


class PurgeRequest(BaseModel):
    """The body of ``POST /v1/queues/{queue}/purge``: the name of the queue once more."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"confirm": "default"}]})

    confirm: str


def purging(broker: JobBroker, settings: Settings) -> Blueprint:
    """The route of the purge."""
    routes = Blueprint("purging", __name__)

    @routes.post("/v1/queues/<queue>/purge")
    @documented(
        "Cancel all jobs that wait in a queue. Of very many (202) a job of its own cancels the rest.",
        {200: PurgedJson, 202: PurgedJson},
        body=PurgeRequest,
        sends=("Location",),
        problems=(UnknownQueue, InvalidQuery),
    )
    def purge(queue: str) -> tuple[Response, int, dict[str, str]]:
        check_queue(broker, queue)
        if checked(PurgeRequest, json_object(request)).confirm != queue:
            raise InvalidQuery(f"Confirm with the name of the queue: {queue!r}.", pointer="/confirm")
        cancelled = broker.store.purge(queue, MOST_AT_ONCE)
        if cancelled < MOST_AT_ONCE:
            return jsonify(PurgedJson(cancelled=cancelled, rest=None)), 200, {}
        job, _ = submit(broker, "cancel", None, JobFilter(states=tuple(WAITING), queue=queue))
        rest = shown(broker, found(broker, settings, job.id))
        return jsonify(PurgedJson(cancelled=cancelled, rest=rest)), 202, {"Location": location(job.id)}

    return routes
