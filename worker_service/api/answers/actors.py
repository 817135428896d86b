"""Actors, and numbers."""

from typing import Any

from typing_extensions import TypedDict

from .common import Instant, LinksJson


class UniqueJson(TypedDict):
    """Which jobs of an actor do the same work, and what becomes of the second one; see docs/uniqueness.md."""

    key: str | None
    on: list[str] | None
    scope: str
    until: str
    window_ms: int | None
    on_conflict: str
    max_wait_ms: int | None


class RunsJson(TypedDict):
    """How many runs ended well within ``up_to_ms`` and not within the bound before; None: above all bounds."""

    up_to_ms: int | None
    count: int


class ActorStatsJson(TypedDict):
    """What became of an actor's jobs, since its first one; means in milliseconds, None before there is one.

    ``mean_wait_ms`` is from when a job could start until it did, ``mean_run_ms`` from its start to its success.
    ``runs`` is the histogram of the latter.
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
    p50_run_ms: int | None
    p95_run_ms: int | None
    runs: list[RunsJson]


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


class RateJson(TypedDict):
    """What was counted in one span of time, and the durations of what ended in it, None without one.

    ``retried`` and ``crashed`` count attempts after which the job may run again.
    """

    at: Instant | None
    enqueued: int
    started: int
    succeeded: int
    retried: int
    crashed: int
    dead: int
    cancelled: int
    expired: int
    mean_wait_ms: int | None
    p50_wait_ms: int | None
    p95_wait_ms: int | None
    mean_run_ms: int | None
    p50_run_ms: int | None
    p95_run_ms: int | None


class RatesJson(TypedDict):
    """Spans of equal length, the oldest first; of one actor, or of all."""

    actor: str | None
    range: str
    span_ms: int
    items: list[RateJson]


StatsJson = dict[str, int]
"""Numbers by name; a queue's own stand under its name: ``queued:NAME``, ``delayed:NAME``, ``running:NAME``,
``wanted_threads:NAME``, ``oldest_ms:NAME``."""
