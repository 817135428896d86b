"""Why a job is where it is."""

from typing_extensions import TypedDict

from ...broker.explanation import Code
from ...jobs.states import State
from .common import Instant
from .queues import QueuePauseJson


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
