"""Many jobs in one request: ``POST /v1/jobs:batch``."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, request

from ..broker.broker import JobBroker, refusal
from ..broker.intake import PreparedJob, prepare, submit_many
from ..jobs.errors import (
    ActorNotAllowed,
    InvalidBatch,
    InvalidJob,
    InvalidQuery,
    NotDurable,
    QueueFull,
    StoreFull,
    StoreUnavailable,
    WorkerServiceError,
)
from ..settings import Settings
from ..store import NewJob, Submitted
from .answers import AcceptedItemJson, BatchJson, DuplicateReplayedJson, RefusedItemJson
from .batch_body import BATCH_BODY, BATCH_LIMIT, NDJSON, NDJSON_EXAMPLE, BatchItem, read_batch
from .documented import documented
from .durability import ABOUT_DURABILITY, read_level
from .idempotency import HEADER, read_key, remembered_as
from .problems import problem_json, problem_word
from .quotas import spend
from .representation import as_created, job_json, replayed_json
from .requests import ABOUT_THE_TRACE, read_job_request
from .submitting import DUPLICATES
from .whole_body import whole_body

MOST_ATOMIC = 500

ABOUT_THE_KEY = {
    HEADER: "The request may be sent again with the same key: each job without an idempotency_key of its own has one "
    "made of this key and its place in the batch."
}

Prepared = PreparedJob | InvalidJob | ActorNotAllowed
"""A job that may be created, or why not."""


def batch(broker: JobBroker, settings: Settings) -> Blueprint:
    """The route that creates many jobs."""
    routes = Blueprint("batch", __name__)

    @routes.post("/v1/jobs:batch")
    @documented(
        "Create many jobs: each by itself, or all or none (`atomic`).",
        {200: BatchJson},
        body=BATCH_BODY,
        text_bodies={NDJSON: NDJSON_EXAMPLE},
        headers=ABOUT_THE_KEY | ABOUT_DURABILITY | ABOUT_THE_TRACE,
        problems=(InvalidBatch, InvalidJob, InvalidQuery, QueueFull, NotDurable, StoreFull),
    )
    def create() -> Response:
        with whole_body(request, BATCH_LIMIT) as body:
            batch = read_batch(request, body)
            key, level = read_key(request.headers), read_level(request.headers, broker)
            broker.vitals.check_memory()
            prepared = [
                _prepared(broker, settings, item, None if key is None else f"{key}\n{place}")
                for place, item in enumerate(batch.items)
            ]
            if batch.atomic:
                check_atomic(prepared)
            jobs = [each for each in prepared if isinstance(each, PreparedJob)]
            if jobs:
                spend(broker.store, "jobs", len(jobs))
            outcomes = submit_many(broker, jobs, all_or_none=batch.atomic, level=level)
            if batch.atomic:
                check_created(jobs, outcomes)
            of_jobs = iter(outcomes)
            items = [
                _item_json(broker, each, next(of_jobs)) if isinstance(each, PreparedJob) else _refused(each)
                for each in prepared
            ]
            return jsonify(BatchJson(items=items))

    return routes


def check_atomic(prepared: Sequence[Prepared]) -> None:
    """Refuse what cannot be created all or none.

    Raises:
        InvalidBatch: with the problems of each wrong job.
    """
    if len(prepared) > MOST_ATOMIC:
        detail = f"At most {MOST_ATOMIC} jobs are created all or none; these are {len(prepared)}."
        raise InvalidBatch([InvalidJob(detail, pointer="/jobs", code="too_many")])
    seen: set[str] = set()
    wrong: dict[int, InvalidJob] = {}
    for place, each in enumerate(prepared):
        if not isinstance(each, PreparedJob):
            wrong[place] = _as_invalid(each)
            continue
        names = _names(each.job)
        if names & seen:
            wrong[place] = InvalidJob(
                "Another job of this batch has the same idempotency_key, or does the same work (unique).",
                code="twice",
            )
        seen |= names
    _refuse(wrong)


def check_created(jobs: Sequence[PreparedJob], outcomes: Sequence[Submitted | StoreUnavailable]) -> None:
    """Tell of what refused a batch that was to be created whole.

    Raises:
        InvalidBatch: with the problems of each wrong job.
        QueueFull: nothing is wrong, but there is no room for all of them.
    """
    refused = {
        place: error
        for place, (each, outcome) in enumerate(zip(jobs, outcomes, strict=True))
        if (error := _error(each, outcome)) is not None
    }
    for error in refused.values():
        if isinstance(error, QueueFull) and all(isinstance(each, QueueFull) for each in refused.values()):
            raise error
    _refuse({place: _as_invalid(error) for place, error in refused.items()})


def _as_invalid(error: WorkerServiceError) -> InvalidJob:
    if isinstance(error, InvalidJob):
        return error
    return InvalidJob(str(error), code=problem_word(error).replace("-", "_"))


def _refuse(wrong: dict[int, InvalidJob]) -> None:
    found = [
        InvalidJob(str(each), pointer=f"/jobs/{place}{each.pointer}", code=each.code)
        for place, error in wrong.items()
        for each in error.problems
    ]
    if found:
        raise InvalidBatch(found)


def _names(job: NewJob) -> set[str]:
    """What no two jobs of one script may have in common."""
    names = {f"key {job.idempotency.name}"} if job.idempotency else set()
    return names | ({f"lock {job.lock.digest}"} if job.lock else set())


def _prepared(broker: JobBroker, settings: Settings, item: Any, usual_key: str | None) -> Prepared:
    try:
        if isinstance(item, InvalidJob):
            raise item
        if not isinstance(item, dict):
            raise InvalidJob("A job has to be a JSON object.", code="no_object")
        wanted = read_job_request(item, request.headers, BatchItem)
        key = item.get("idempotency_key") or usual_key
        if key is None and settings.require_idempotency_key:
            raise InvalidJob(
                f"Give the job an idempotency_key, or the request the header {HEADER}: JOBS_REQUIRE_IDEMPOTENCY_KEY.",
                pointer="/idempotency_key",
                code="missing",
            )
        if key is not None:
            body = {name: value for name, value in item.items() if name != "idempotency_key"}
            wanted = replace(wanted, idempotency=remembered_as(key, body, settings))
        return prepare(broker, wanted)
    except (InvalidJob, ActorNotAllowed) as error:
        return error


def _error(prepared: PreparedJob, outcome: Submitted | StoreUnavailable) -> WorkerServiceError | None:
    return refusal(outcome, prepared.job) if isinstance(outcome, Submitted) else outcome


def _item_json(
    broker: JobBroker, prepared: PreparedJob, outcome: Submitted | StoreUnavailable
) -> AcceptedItemJson | RefusedItemJson:
    error = _error(prepared, outcome)
    if error is not None:
        return _refused(error)
    assert isinstance(outcome, Submitted)
    if outcome.word == "replayed":
        return {"status": 202, "job": replayed_json(outcome), "replayed": True}
    if outcome.word in DUPLICATES:  # not in full: many could be large
        return {"status": 200, "job": DuplicateReplayedJson(**replayed_json(outcome), duplicate=True)}
    created = as_created(prepared.job, outcome.created_at_ms, follows=outcome.word == "follows")
    return {"status": 202, "job": job_json(created, broker.actors[created.actor].fn)}


def _refused(error: WorkerServiceError) -> RefusedItemJson:
    problem = problem_json(error)
    return {"status": problem["status"], "problem": problem}
