"""Queues."""

from typing_extensions import TypedDict

from .common import Instant
from .jobs import JobJson


class QueuePauseJson(TypedDict):
    """Why jobs of a queue are not started."""

    reason: str
    by: str
    since: Instant | None
    until: Instant | None


class QueueJson(TypedDict):
    """A queue."""

    name: str
    queued: int
    scheduled_or_retrying: int
    running: int
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
