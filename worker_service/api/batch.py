"""Many jobs in one request: ``POST /v1/jobs:batch``."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.datastructures import Headers

from ..broker.broker import JobBroker, refusal
from ..broker.intake import SLICE, Outcome, PreparedJob, WantedJob, prepare, submit_all, submit_many
from ..jobs.errors import (
    ActorNotAllowed,
    InvalidBatch,
    InvalidJob,
    InvalidQuery,
    NotDurable,
    QueueFull,
    StoreFull,
    WorkerServiceError,
)
from ..settings import Settings
from ..store import NewJob, Submitted
from .answers import AcceptedItemJson, BatchJson, DuplicateReplayedJson, RefusedItemJson
from .batch_body import BATCH_BODY, BATCH_LIMIT, NDJSON, NDJSON_EXAMPLE, BatchItem, read_batch
from .documented import documented
from .durability import ABOUT_DURABILITY, read_level
from .http_metrics import count_rejected
from .idempotency import HEADER, read_key, remembered_as
from .problems import problem_json, problem_word
from .quotas import spend
from .representation import created_json, replayed_json
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
            reader = _Reader(broker, settings, request.headers)
            level = read_level(request.headers, broker)
            broker.vitals.check_memory()
            if batch.items:
                spend(broker.store, "jobs", len(batch.items))
            if batch.atomic:
                jobs = reader.all_right(batch.items)
                outcomes: Sequence[Outcome] = submit_all(broker, jobs, level)
                check_created(jobs, outcomes)
            else:
                outcomes = submit_many(broker, reader.slices(batch.items), level)
            of_jobs = iter(outcomes)
            items = [
                _item_json(each, next(of_jobs)) if isinstance(each, PreparedJob) else _refused(each)
                for each in reader.read
            ]
            return jsonify(BatchJson(items=items))

    return routes


class _Reader:
    """Reads the jobs of one request; ``read`` has what became of each."""

    def __init__(self, broker: JobBroker, settings: Settings, headers: Headers) -> None:
        self.read: list[Prepared] = []
        self._broker = broker
        self._settings = settings
        self._key = read_key(headers)
        self._headers = headers

    def slices(self, items: Sequence[Any]) -> Iterator[list[PreparedJob]]:
        """Those that may be created, read when they are asked for."""
        for begin in range(0, len(items), SLICE):
            some = [self._prepared(item, begin + n) for n, item in enumerate(items[begin : begin + SLICE])]
            self.read += some
            yield [each for each in some if isinstance(each, PreparedJob)]

    def all_right(self, items: Sequence[Any]) -> list[PreparedJob]:
        """All of them.

        Raises:
            InvalidBatch: with the problems of each that is wrong, or has something in common with another one.
        """
        if len(items) > MOST_ATOMIC:
            detail = f"At most {MOST_ATOMIC} jobs are created all or none; these are {len(items)}."
            raise InvalidBatch([InvalidJob(detail, pointer="/jobs", code="too_many")])
        self.read = [self._prepared(item, place) for place, item in enumerate(items)]
        seen: set[str] = set()
        wrong: dict[int, InvalidJob] = {}
        jobs: list[PreparedJob] = []
        for place, each in enumerate(self.read):
            if not isinstance(each, PreparedJob):
                wrong[place] = _as_invalid(each)
                continue
            jobs.append(each)
            names = _names(each.job)
            if names & seen:
                wrong[place] = InvalidJob(
                    "Another job of this batch has the same idempotency_key, or does the same work (unique).",
                    code="twice",
                )
            seen |= names
        _refuse(wrong)
        return jobs

    def _prepared(self, item: Any, place: int) -> Prepared:
        try:
            return prepare(self._broker, self._wanted(item, place))
        except (InvalidJob, ActorNotAllowed) as error:
            return error

    def _wanted(self, item: Any, place: int) -> WantedJob:
        if isinstance(item, InvalidJob):
            raise item
        if not isinstance(item, dict):
            raise InvalidJob("A job has to be a JSON object.", code="no_object")
        wanted = read_job_request(item, self._headers, BatchItem)
        own = item.get("idempotency_key")
        if own is not None or self._key is not None:
            body = {name: value for name, value in item.items() if name != "idempotency_key"}
            key = f"{self._key}\n{place}" if own is None else own
            wanted.idempotency = remembered_as(key, body, self._settings)
        elif self._settings.require_idempotency_key:
            raise InvalidJob(
                f"Give the job an idempotency_key, or the request the header {HEADER}: JOBS_REQUIRE_IDEMPOTENCY_KEY.",
                pointer="/idempotency_key",
                code="missing",
            )
        return wanted


def check_created(jobs: Sequence[PreparedJob], outcomes: Sequence[Outcome]) -> None:
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


def _error(prepared: PreparedJob, outcome: Outcome) -> WorkerServiceError | None:
    return refusal(outcome, prepared.job) if isinstance(outcome, Submitted) else outcome


def _item_json(prepared: PreparedJob, outcome: Outcome) -> AcceptedItemJson | RefusedItemJson:
    """Jobs in short: whoever sends many knows what is in them."""
    error = _error(prepared, outcome)
    if error is not None:
        return _refused(error)
    assert isinstance(outcome, Submitted)
    if outcome.word == "replayed":
        return {"status": 202, "job": replayed_json(outcome), "replayed": True}
    if outcome.word in DUPLICATES:
        return {"status": 200, "job": DuplicateReplayedJson(**replayed_json(outcome), duplicate=True)}
    return {"status": 202, "job": created_json(prepared.job, outcome)}


def _refused(error: WorkerServiceError) -> RefusedItemJson:
    problem = problem_json(error)
    count_rejected(problem_word(error))
    return {"status": problem["status"], "problem": problem}
