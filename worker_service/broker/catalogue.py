"""What each actor is and asks for, for people and programs that submit jobs."""

import inspect
from dataclasses import dataclass
from typing import Any

import dramatiq

from ..jobs.signature import arguments_schema
from ..jobs.uniqueness import Unique
from .process import DEFAULT_TIME_LIMIT_MS
from .submission import DEFAULT_MAX_CRASHES, STORE_RESULT, declared_max_attempts


@dataclass(frozen=True, slots=True)
class ActorInfo:
    """One actor.

    Attributes:
        arguments: JSON schema of its arguments by name.
        max_attempts: None when it has no limit.
        time_limit_ms: of one attempt.
    """

    name: str
    description: str
    queue: str
    priority: int
    max_attempts: int | None
    max_crashes: int
    time_limit_ms: int
    unique: Unique | None
    tags: list[str]
    metadata: dict[str, Any]
    store_result: bool
    arguments: dict[str, Any]


def describe(actor: "dramatiq.Actor[Any, Any]") -> ActorInfo:
    """What is known of an actor."""
    return ActorInfo(
        name=actor.actor_name,
        description=inspect.getdoc(inspect.unwrap(actor.fn)) or "",
        queue=actor.queue_name,
        priority=actor.priority,
        max_attempts=declared_max_attempts(actor),
        max_crashes=actor.options.get("max_crashes", DEFAULT_MAX_CRASHES),
        time_limit_ms=actor.options.get("time_limit") or DEFAULT_TIME_LIMIT_MS,
        unique=actor.options.get("unique"),
        tags=list(actor.options.get("tags") or ()),
        metadata=actor.options.get("metadata") or {},
        store_result=bool(actor.options.get(STORE_RESULT, actor.options.get("store_results", True))),
        arguments=arguments_schema(actor.fn),
    )


def time_limit_ms(actor: "dramatiq.Actor[Any, Any] | None", message: dict[str, Any]) -> int | None:
    """How long an attempt of a job may take; None where neither its message nor a known actor tells."""
    found = message.get("options", {}).get("time_limit")
    if found is None and actor is not None:
        found = actor.options.get("time_limit") or DEFAULT_TIME_LIMIT_MS
    return int(found) if isinstance(found, int | float) else None
