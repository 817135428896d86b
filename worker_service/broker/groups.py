"""Completion callbacks of groups, counted by distinct members in the script that ends them.

Dramatiq's own middleware counts down a number: a member delivered twice counts twice, and a group with a member that
fails waits for ever.
"""

from dataclasses import dataclass
from typing import Any

import dramatiq
from dramatiq.middleware import GroupCallbacks as DramatiqGroupCallbacks
from dramatiq.rate_limits import RateLimiterBackend

from ..jobs.errors import StoreUnavailable
from ..store import Store

KEEP_MS = 30 * 24 * 3600 * 1000

UUID, CALLBACKS, NEXT = "group_completion_uuid", "group_completion_callbacks", "pipe_target"


@dataclass(frozen=True, slots=True)
class Membership:
    """How a message belongs to a group.

    Attributes:
        is_member: whether its own completion counts; otherwise that of a later step of its pipeline does.
        callbacks: messages, as dictionaries.
    """

    group: str
    is_member: bool
    callbacks: list[dict[str, Any]]


def membership_of(options: dict[str, Any]) -> Membership | None:
    """The group of a message with these options, its own or that of the last step of its pipeline."""
    is_member = True
    while options:
        if UUID in options:
            return Membership(options[UUID], is_member, options.get(CALLBACKS) or [])
        is_member = False
        options = (options.get(NEXT) or {}).get("options") or {}
    return None


class GroupCallbacks(DramatiqGroupCallbacks):
    """Takes the place of Dramatiq's middleware of this name, which ``group.run`` looks for; finish does the rest."""

    def __init__(self, store: Store) -> None:
        super().__init__(_GroupSizes(store), barrier_ttl=KEEP_MS)

    def after_process_message(
        self, broker: Any, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Nothing: the record of the job knows its group."""


class _GroupSizes(RateLimiterBackend):
    """What ``group.run`` asks for: to note how many members a group has."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, key: str, value: int, ttl: int) -> bool:
        try:
            self._store.create_group(key, value, ttl)
        except StoreUnavailable as error:
            raise dramatiq.ConnectionClosed(str(error)) from error
        return True
