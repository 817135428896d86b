"""What the service says of jobs, as Python objects. Fields that a newer service adds are in ``raw``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .errors import Problem

FINAL = frozenset({"succeeded", "dead", "cancelled", "expired"})


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stood when it was asked for.

    Attributes:
        state: scheduled, queued, running, retrying, succeeded, dead, cancelled or expired; also ``pruned`` in the
            answer to a repeated request whose job is gone.
        reason: why it is dead.
        error: type, message and traceback of the last failure.
        raw: the JSON object, whole.
    """

    id: str
    actor: str
    queue: str
    state: str
    args: dict[str, Any] = field(default_factory=dict)
    attempt: int = 0
    max_attempts: int | None = None
    created_at: datetime | None = None
    run_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    wait_reason: str | None = None
    reason: str | None = None
    progress: dict[str, Any] | None = None
    result: Any = None
    error: dict[str, Any] | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.state in FINAL or self.state == "pruned"

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Job":
        """Read the JSON object of a job."""
        return cls(
            id=found["id"],
            actor=found["actor"],
            queue=found["queue"],
            state=found["state"],
            args=found.get("args", {}),
            attempt=found.get("attempt", 0),
            max_attempts=found.get("max_attempts"),
            created_at=_instant(found.get("created_at")),
            run_at=_instant(found.get("run_at")),
            started_at=_instant(found.get("started_at")),
            finished_at=_instant(found.get("finished_at")),
            wait_reason=found.get("wait_reason"),
            reason=found.get("reason"),
            progress=found.get("progress"),
            result=found.get("result"),
            error=found.get("error"),
            attempts=found.get("attempts", []),
            raw=dict(found),
        )


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of one job of many.

    Attributes:
        job: None when it was refused.
        problem: why it was refused.
    """

    job: Job | None
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job.

    Attributes:
        kind: ``state``, ``progress``, ``log`` or ``done``.
        data: what happened, as JSON values.
        id: where a stream goes on behind it.
    """

    kind: str
    data: Any
    id: str


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
