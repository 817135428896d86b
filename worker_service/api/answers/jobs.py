"""Jobs, and what is told of one."""

from typing import Any, Literal

from typing_extensions import TypedDict

from ...jobs.states import State
from .common import ErrorJson, Instant, LinksJson


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


class JobPageJson(TypedDict):
    """A page of jobs, the newest first; truncated when a condition without an index was not tried on all of them."""

    items: list[JobJson]
    next_cursor: str | None
    truncated: bool


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
