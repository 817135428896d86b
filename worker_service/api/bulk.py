"""Many jobs at once: put back, stopped or removed, by their ids or by what they have in common."""

from collections.abc import Iterable
from typing import Annotated, Any, Self, get_args

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..broker.broker import JobBroker
from ..broker.bulk import MAY_BE, MEANT, MOST_IDS, Operation, count, submit
from ..broker.offered import offered
from ..jobs.errors import (
    ActorNotAllowed,
    IdempotencyKeyReused,
    InvalidJob,
    InvalidQuery,
    QueueFull,
    StoreFull,
)
from ..jobs.validation import summary
from ..names import nearest
from ..settings import Settings
from ..store import JobFilter
from .answers import JobJson, MatchedJson, ReplayedJson
from .body import json_object
from .checked import checked
from .documented import documented
from .filters import FilterRequest
from .idempotency import ABOUT_THE_KEY, read_idempotency
from .principal import current_principal
from .submitting import SENT, accepted

Id = Annotated[str, Field(min_length=1, max_length=64)]


class BulkRequest(BaseModel):
    """The body of ``POST /v1/jobs:retry``, ``:cancel`` and ``:delete``."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"filter": {"state": "dead", "queue": "emails"}, "dry_run": True}]},
    )

    ids: list[Id] | None = Field(default=None, min_length=1, max_length=MOST_IDS)
    filter: dict[str, Any] | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _ids_or_filter(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("Give either ids or a filter.")
        return self


def bulk(broker: JobBroker, settings: Settings) -> Blueprint:
    """The routes that change many jobs."""
    routes = Blueprint("bulk", __name__)

    @routes.post(f"/v1/jobs:<any({', '.join(get_args(Operation))}):operation>")
    @documented(
        "Put back, stop or remove many jobs, in a job of its own; or count them.",
        {202: JobJson | ReplayedJson, 200: MatchedJson},
        body=BulkRequest,
        sends=SENT,
        headers=ABOUT_THE_KEY,
        problems=(InvalidQuery, IdempotencyKeyReused, QueueFull, StoreFull, ActorNotAllowed),
    )
    def operate(operation: Operation) -> Response:
        body = json_object(request)
        ids, wanted, dry_run = read_bulk_request(operation, body)
        check_names(broker, wanted)
        if operation == "retry":
            check_actors(wanted)
        idempotency = read_idempotency(request.headers, {"operation": operation, **body}, settings)
        if dry_run:
            matched, truncated = count(broker, ids, wanted)
            return jsonify(MatchedJson(matched=matched, truncated=truncated))
        return accepted(broker, *submit(broker, operation, ids, wanted, idempotency))

    return routes


def read_bulk_request(
    operation: Operation, given: dict[str, Any]
) -> tuple[list[str] | None, JobFilter, bool]:
    """The jobs that a request means, by id or by filter, and whether they are only to be counted.

    Raises:
        InvalidQuery: with one problem per wrong field.
    """
    asked = checked(BulkRequest, given)
    if asked.filter is None:
        return asked.ids, JobFilter(), asked.dry_run
    found = checked(FilterRequest, asked.filter, "/filter")
    wanted = found.wanted(MEANT[operation])
    if found.wanted() == JobFilter():
        raise InvalidQuery("Give a filter with at least one condition.", pointer="/filter")
    if not set(wanted.states) <= set(MAY_BE[operation]):
        raise InvalidQuery(
            f"A {operation} is for jobs that are {', '.join(MAY_BE[operation])}.",
            pointer="/filter/state" if found.state else "/filter/fingerprint",
        )
    return None, wanted, asked.dry_run


def check_names(broker: JobBroker, wanted: JobFilter) -> None:
    """Refuse what looks mistyped. A name that is like no other may be that of an actor which was declared once.

    Raises:
        InvalidQuery: no actor is declared, nor has ever had a job, under this name, but under one that is like it; or
            the same of the queue.
    """
    found: list[InvalidJob] = []
    actor, queue = wanted.actor, wanted.queue
    if actor is not None and actor not in broker.actors and not broker.reads.has_had_jobs(actor):
        found += _mistyped("actor", actor, offered(broker.actors))
    if queue is not None and queue not in (known := {*broker.queues, *broker.reads.queues()}):
        found += _mistyped("queue", queue, known)
    if found:
        raise InvalidQuery(summary(found), problems=found)


def check_actors(wanted: JobFilter) -> None:
    """Whether who asks may run jobs of all actors that are meant.

    Raises:
        ActorNotAllowed: the key is for some actors, and jobs of others may be meant.
    """
    principal = current_principal()
    if principal.actors is not None and wanted.actor is None:
        raise ActorNotAllowed("This key is for some actors only: give a filter that names one of them.")
    principal.check_actor(wanted.actor or "")


def _mistyped(noun: str, name: str, known: Iterable[str]) -> list[InvalidJob]:
    near = nearest(name, known)
    if near is None:
        return []
    detail = f"No {noun} {name!r}. Did you mean {near!r}?"
    return [InvalidQuery(detail, pointer=f"/filter/{noun}", code=f"unknown_{noun}")]
