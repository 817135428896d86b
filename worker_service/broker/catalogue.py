"""What each actor is and asks for, for people and programs that submit jobs."""

import inspect
from dataclasses import dataclass
from typing import Any

import dramatiq

from ..jobs.signature import arguments_schema
from .process import DEFAULT_TIME_LIMIT_MS
from .submission import declared_max_attempts


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
    time_limit_ms: int
    arguments: dict[str, Any]


def describe(actor: "dramatiq.Actor[Any, Any]") -> ActorInfo:
    """What is known of an actor."""
    return ActorInfo(
        name=actor.actor_name,
        description=inspect.getdoc(inspect.unwrap(actor.fn)) or "",
        queue=actor.queue_name,
        priority=actor.priority,
        max_attempts=declared_max_attempts(actor),
        time_limit_ms=actor.options.get("time_limit") or DEFAULT_TIME_LIMIT_MS,
        arguments=arguments_schema(actor.fn),
    )
