"""What the service answers, as types: mypy holds the code to them, and the OpenAPI document is made of them.

Each is closed: what is not named here is not in the answer. An instant is None where it does not apply, and where a
damaged record does not tell it.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from ..broker.explanation import Code
from ..broker.schedules import Standing
from ..jobs.quota import Unit
from ..jobs.states import State

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""In UTC, with milliseconds."""


class LinksJson(TypedDict):
    """Addresses."""

    self: str


class ErrorJson(TypedDict):
    """An exception of an actor, or what the service says in its place."""

    type: str
    message: str
    frame: str | None
    traceback: str


class ProgressJson(TypedDict):
    """How far a job says it is."""

    percent: float
    note: str


class DeliveryJson(TypedDict):
    """One run of a job."""

    number: int
    started_at: Instant | None
    ended_at: Instant | None
    worker: str
    outcome: str
    charged: bool
    error: ErrorJson | None


class StepJson(TypedDict):
    """Something a job does once."""

    name: str
    state: str
    at: Instant | None
    result: Any


class JobJson(TypedDict):
    """A job."""

    id: str
    actor: str
    queue: str
    state: State
    wait_reason: str | None
    reason: str | None
    fingerprint: str | None
    args: dict[str, Any]
    tags: list[str]
    metadata: dict[str, Any]
    priority: int
    attempt: int
    max_attempts: int
    crashes: int
    created_at: Instant | None
    run_at: Instant | None
    started_at: Instant | None
    finished_at: Instant | None
    expires_at: Instant | None
    unique_key: str | None
    worker: str | None
    progress: ProgressJson | None
    result: Any
    error: ErrorJson | None
    attempts: list[DeliveryJson]
    steps: list[StepJson]
    schedule: str | None
    tick: Instant | None
    replayed_from: str | None
    replayed_as: str | None
    traceparent: str | None
    version: str
    links: LinksJson


class ResultJson(TypedDict):
    """What the actor of a job has returned; None also when it stores no results."""

    result: Any


class DuplicateJobJson(JobJson):
    """The job that does the work which another one was asked for."""

    duplicate: Literal[True]


class ReplayedJson(TypedDict):
    """A job in short: one that the same request made before, or one of a batch."""

    id: str
    actor: str
    queue: str
    created_at: Instant | None
    state: State | Literal["pruned"]
    links: LinksJson


class DuplicateReplayedJson(ReplayedJson):
    """The same of a job that another one did the work of, and that is gone."""

    duplicate: Literal[True]


class WrongJson(TypedDict):
    """One wrong part of a request."""

    pointer: str
    detail: str
    code: str


class ProblemJson(TypedDict):
    """What went wrong (RFC 9457); ``job_id`` is that of a job which does the same work."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: NotRequired[list[WrongJson]]
    job_id: NotRequired[str]


class AcceptedItemJson(TypedDict):
    """A job of a batch that was accepted, or the one that is there for it, in short.

    ``replayed``: the same item came before; this is the job that it made.
    """

    status: Literal[200, 202]
    job: ReplayedJson | DuplicateReplayedJson
    replayed: NotRequired[Literal[True]]


class RefusedItemJson(TypedDict):
    """A job of a batch that was not accepted."""

    status: int
    problem: ProblemJson


class BatchJson(TypedDict):
    """What became of each job of a batch, in order."""

    items: list[AcceptedItemJson | RefusedItemJson]


class JobPageJson(TypedDict):
    """A page of jobs, the newest first; truncated when a condition without an index was not tried on all of them."""

    items: list[JobJson]
    next_cursor: str | None
    truncated: bool


class WebhookDeliveryLinksJson(TypedDict):
    """Addresses of a delivery, which is a job, and of the job that it tells of."""

    self: str
    job: str


class WebhookDeliveryJson(TypedDict):
    """How somebody is told of the end of a job; last_status is null when the last attempt had no answer."""

    id: str
    job: str
    url: str
    event: str
    state: State
    attempts: int
    max_attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: Instant | None
    created_at: Instant | None
    finished_at: Instant | None
    links: WebhookDeliveryLinksJson


class WebhookDeliveryPageJson(TypedDict):
    """A page of deliveries, the newest first."""

    items: list[WebhookDeliveryJson]
    next_cursor: str | None


class MatchedJson(TypedDict):
    """How many jobs an operation would be about."""

    matched: int
    truncated: bool


class LogLineJson(TypedDict):
    """A line that an actor logged."""

    at: Instant | None
    number: int
    line: str


class LogJson(TypedDict):
    """The lines of a job, the oldest first."""

    items: list[LogLineJson]


class FailureErrorJson(TypedDict):
    """The newest error of a group."""

    type: str | None
    message: str | None
    frame: str | None


class FailureLinksJson(TypedDict):
    """Addresses of the newest job of a group, and of all of them."""

    newest: str
    jobs: str


class FailureJson(TypedDict):
    """Dead jobs with one cause."""

    fingerprint: str
    actor: str
    reason: str
    error: FailureErrorJson | None
    count: int
    first_at: Instant | None
    last_at: Instant | None
    newest: str
    links: FailureLinksJson


class FailuresJson(TypedDict):
    """Groups of dead jobs, that of the newest first."""

    items: list[FailureJson]
    truncated: bool


class QueuePauseJson(TypedDict):
    """Why jobs of a queue are not started."""

    reason: str
    by: str
    since: Instant | None
    until: Instant | None


class ReasonJson(TypedDict):
    """Why a job is where it is: one word, and a sentence for people."""

    code: Code
    detail: str


class ExplanationJson(TypedDict):
    """Why a job is not running and when it will, or how it ended; ``code`` and ``detail`` are the first reason."""

    id: str
    state: State
    queue: str
    code: Code
    detail: str
    reasons: list[ReasonJson]
    position: int | None
    starts_at: Instant | None
    job_id: str | None
    worker: str | None
    paused: QueuePauseJson | None


class QueueJson(TypedDict):
    """A queue."""

    name: str
    queued: int
    scheduled_or_retrying: int
    oldest_ms: int | None
    max_depth: int | None
    paused: QueuePauseJson | None


class QueuesJson(TypedDict):
    """Queues by name."""

    items: list[QueueJson]
    truncated: bool


class PurgedJson(TypedDict):
    """How many jobs were cancelled, and the job that cancels the rest of very many."""

    cancelled: int
    rest: JobJson | None


class WorkerJson(TypedDict):
    """A worker process. Of queues and actors 500 are told at most; one that tells so many may serve any."""

    id: str
    state: Literal["active", "quiet", "stopping", "lost"]
    host: str
    pid: int | None
    version: str
    queues: list[str]
    actors: list[str]
    threads: int | None
    running: int
    opened_at: Instant | None
    heartbeat_age_ms: int | None
    quiet_since: Instant | None
    stopping_since: Instant | None
    links: LinksJson


class RunningJobJson(TypedDict):
    """A job that a worker process runs, or is about to."""

    id: str
    actor: str
    queue: str
    started_at: Instant | None
    running_ms: int | None
    time_limit_ms: int | None
    links: LinksJson


class WorkerDetailJson(WorkerJson):
    """A worker process with the jobs it holds; truncated when there are more of these."""

    jobs: list[RunningJobJson]
    truncated: bool


class WorkersJson(TypedDict):
    """Worker processes, those with the newest sign of life first."""

    items: list[WorkerJson]
    truncated: bool


class UniqueJson(TypedDict):
    """Which jobs of an actor do the same work, and what becomes of the second one; see docs/uniqueness.md."""

    key: str | None
    on: list[str] | None
    scope: str
    until: str
    window_ms: int | None
    on_conflict: str
    max_wait_ms: int | None


class ActorStatsJson(TypedDict):
    """What became of an actor's jobs, since its first one; means in milliseconds, None before there is one.

    ``mean_wait_ms`` is from when a job could start until it did, ``mean_run_ms`` from its start to its success.
    """

    enqueued: int
    started: int
    succeeded: int
    retried: int
    dead: int
    cancelled: int
    expired: int
    mean_wait_ms: int | None
    mean_run_ms: int | None


class ActorJson(TypedDict):
    """An actor: how its jobs run unless they say otherwise, and what became of them.

    ``args`` is the JSON schema of its arguments.
    """

    name: str
    description: str
    queue: str
    priority: int
    max_attempts: int | None
    max_crashes: int
    time_limit_ms: int
    unique: UniqueJson | None
    tags: list[str]
    metadata: dict[str, Any]
    store_result: bool
    args: dict[str, Any]
    stats: ActorStatsJson
    links: LinksJson


class ActorsJson(TypedDict):
    """Actors by name."""

    items: list[ActorJson]


class SchedulePauseJson(TypedDict):
    """Why ticks of a schedule are not fired."""

    note: str | None
    since: Instant | None


class ScheduleJson(TypedDict):
    """A schedule; ``hindered`` is why nobody can make jobs of its ticks, which wait."""

    name: str
    state: Standing
    source: str
    version: int
    definition: dict[str, Any]
    next_tick: Instant | None
    last_tick: Instant | None
    runs: int
    skipped: int
    missed: int
    hindered: str | None
    paused: SchedulePauseJson | None
    created_at: Instant | None
    declared_at: Instant | None
    links: LinksJson


class DamagedScheduleJson(TypedDict):
    """A schedule that cannot be read."""

    name: str
    state: Literal[Standing.DAMAGED]
    reason: str
    links: LinksJson


class SchedulesJson(TypedDict):
    """Schedules by name."""

    items: list[ScheduleJson | DamagedScheduleJson]


class ComingTickJson(TypedDict):
    """A tick to come; ``local`` is what clocks of the schedule's zone show then."""

    tick: Instant | None
    local: str
    run_at: Instant | None


class ComingTicksJson(TypedDict):
    """Ticks to come."""

    items: list[ComingTickJson]


class TickJobJson(TypedDict):
    """The job of a tick."""

    id: str
    state: State | Literal["pruned"]
    links: LinksJson


class TickJson(TypedDict):
    """What became of a tick."""

    tick: Instant | None
    at: Instant | None
    cause: str
    outcome: str
    count: int
    or_more: bool
    job: TickJobJson | None


class TicksJson(TypedDict):
    """Ticks that were, the newest first."""

    items: list[TickJson]


class BackfilledTickJson(TypedDict):
    """A tick of the past and its job, which this request made or an earlier one had made."""

    tick: Instant | None
    job: str
    created: bool


class BackfilledTicksJson(TypedDict):
    """Ticks of the past."""

    items: list[BackfilledTickJson]


class StatusJson(TypedDict):
    """The process can do its work."""

    status: Literal["ok"]


StatsJson = dict[str, int]
"""Numbers by name; a queue's own stand under ``queued:NAME`` and ``delayed:NAME``."""


class QuotaJson(TypedDict):
    """How much a key may ask for."""

    of: Unit
    per_minute: int


class KeyJson(TypedDict):
    """An API key, without its secret."""

    id: str
    name: str
    scopes: list[str]
    actors: list[str] | None
    quota: QuotaJson | None
    created_at: Instant | None
    expires_at: Instant | None
    used_at: Instant | None
    rotated_at: Instant | None
    old_secret_until: Instant | None
    links: LinksJson


class MadeKeyJson(KeyJson):
    """An API key, and its secret for the one time that it is shown."""

    key: str


class KeysJson(TypedDict):
    """All API keys."""

    items: list[KeyJson]


class AuditWhoJson(TypedDict):
    """Who did it."""

    id: str
    name: str


AuditEntryJson = TypedDict(
    "AuditEntryJson",
    {
        "id": str,
        "at": Instant | None,
        "who": AuditWhoJson,
        "what": str,
        "subject": str,
        "from": str,  # a word of Python, so this class is written as a call
        "why": str | None,
        "request_id": str,
        "status": int | None,
        "made": str | None,
    },
)
"""What somebody did; without a status nobody told what became of it."""


class AuditPageJson(TypedDict):
    """A page of the audit log, the newest entry first; with a filter a page may be short and yet not the last one."""

    items: list[AuditEntryJson]
    next_cursor: str | None
