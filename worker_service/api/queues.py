"""Queues over HTTP: what waits in them, and whether their jobs are started."""

import time

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from ..broker.broker import JobBroker
from ..jobs import instants
from ..jobs.errors import InvalidQuery, UnknownQueue
from ..names import did_you_mean
from ..store.overview import Overviews, Pause, QueueOverview
from .answers import QueueJson, QueuePauseJson, QueuesJson
from .body import json_object
from .checked import NoFields, checked
from .documented import documented
from .principal import current_principal
from .requests import Instant

MOST_DEPTH = 10**9


class PauseRequest(BaseModel):
    """The body of ``POST /v1/queues/{queue}/pause``."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "The mail server is moved."}]}
    )

    reason: str = Field(min_length=1, max_length=500)
    until: Instant | None = None


class LimitsRequest(BaseModel):
    """The body of ``PUT /v1/queues/{queue}/limits``."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"max_depth": 10_000}]})

    max_depth: int | None = Field(ge=0, le=MOST_DEPTH)


def queues(broker: JobBroker) -> Blueprint:
    """The routes of queues."""
    routes = Blueprint("queues", __name__)
    readings = Overviews(broker.store.client, broker.store.namespace)

    @routes.get("/v1/queues")
    @documented("List queues: what waits in them, and whether their jobs are started.", {200: QueuesJson})
    def index() -> Response:
        overview = readings.read()
        items = [_queue_json(queue) for queue in overview.queues]
        return jsonify(QueuesJson(items=items, truncated=overview.more_queues > 0))

    @routes.get("/v1/queues/<queue>")
    @documented("Read a queue.", {200: QueueJson}, problems=(UnknownQueue,))
    def show(queue: str) -> Response:
        check_queue(broker, queue)
        return jsonify(_queue_json(readings.queue(queue)))

    @routes.post("/v1/queues/<queue>/pause")
    @documented(
        "Start no more jobs of a queue.", {204: ""}, body=PauseRequest, problems=(UnknownQueue, InvalidQuery)
    )
    def pause(queue: str) -> tuple[str, int]:
        check_queue(broker, queue)
        wanted = checked(PauseRequest, json_object(request))
        now_ms = time.time_ns() // 1_000_000
        until_ms = instants.to_ms(wanted.until) if wanted.until else None
        if until_ms is not None and until_ms <= now_ms:
            raise InvalidQuery("The instant has passed: nothing would be paused.", pointer="/until")
        broker.store.pause(queue, wanted.reason, now_ms, until_ms, by=current_principal().name)
        return "", 204

    @routes.post("/v1/queues/<queue>/resume")
    @documented(
        "Start jobs of a queue again.",
        {204: ""},
        body=NoFields,
        body_required=False,
        problems=(UnknownQueue,),
    )
    def resume(queue: str) -> tuple[str, int]:
        check_queue(broker, queue)
        broker.store.resume(queue)
        return "", 204

    @routes.put("/v1/queues/<queue>/limits")
    @documented(
        "Set how many jobs may wait in a queue before further ones are refused; null: any number.",
        {204: ""},
        body=LimitsRequest,
        problems=(UnknownQueue, InvalidQuery),
    )
    def limit(queue: str) -> tuple[str, int]:
        check_queue(broker, queue)
        broker.store.limit(queue, checked(LimitsRequest, json_object(request)).max_depth)
        return "", 204

    return routes


def check_queue(broker: JobBroker, queue: str) -> None:
    """Whether there is a queue.

    Raises:
        UnknownQueue: none is declared, nor has ever had a job, under this name; names the nearest one.
    """
    known = {*broker.queues, *broker.reads.queues()}
    if queue not in known:
        raise UnknownQueue(f"No queue {queue!r}.{did_you_mean(queue, known)}")


def _queue_json(queue: QueueOverview) -> QueueJson:
    return {
        "name": queue.name,
        "queued": queue.queued,
        "scheduled_or_retrying": queue.delayed,
        "running": queue.running,
        "oldest_ms": queue.oldest_ms,
        "max_depth": queue.max_depth,
        "paused": pause_json(queue.pause),
    }


def pause_json(pause: Pause | None) -> QueuePauseJson | None:
    """Why jobs of a queue are not started, if so."""
    if pause is None:
        return None
    return {
        "reason": pause.reason,
        "by": pause.by,
        "since": instants.to_text(pause.paused_at_ms),
        "until": instants.to_text(pause.until_ms),
    }
