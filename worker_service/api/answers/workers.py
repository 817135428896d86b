"""Worker processes."""

from typing import Literal

from typing_extensions import TypedDict

from .common import Instant, LinksJson


class WorkerJson(TypedDict):
    """A worker process. Of queues and actors 500 are told at most; one that tells so many may serve any.
    One that is stalled has not done for a while what it should: claim a job that waits, start one it holds, or
    write how one ended."""

    id: str
    state: Literal["active", "quiet", "stopping", "stalled", "lost"]
    host: str
    pid: int | None
    version: str
    queues: list[str]
    actors: list[str]
    threads: int | None
    running: int
    opened_at: Instant | None
    heartbeat_age_ms: int | None
    memory_bytes: int | None
    quiet_since: Instant | None
    stopping_since: Instant | None
    stalled_since: Instant | None
    stalled_in: Literal["claim", "start", "write"] | None
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
