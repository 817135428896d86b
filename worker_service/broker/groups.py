"""Completion callbacks of groups, counted by distinct members in the script that ends them.

Dramatiq's own middleware counts down a number: a member delivered twice counts twice.
"""

from typing import Any

import dramatiq
from dramatiq.middleware import GroupCallbacks as DramatiqGroupCallbacks
from dramatiq.rate_limits import RateLimiterBackend

from ..jobs.errors import StoreUnavailable
from ..store import Store

KEEP_MS = 30 * 24 * 3600 * 1000


class GroupCallbacks(DramatiqGroupCallbacks):
    """Takes the place of Dramatiq's middleware of this name, which ``group.run`` looks for."""

    def __init__(self, store: Store) -> None:
        super().__init__(_GroupSizes(store), barrier_ttl=KEEP_MS)

    def after_process_message(
        self, broker: Any, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Note the group of a member that succeeded; finish counts it."""
        group = message.options.get("group_completion_uuid")
        if exception is None and group:
            message.group = group
            message.callbacks = [
                broker.follow_up(message, dramatiq.Message(**callback))
                for callback in message.options.get("group_completion_callbacks") or ()
            ]


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
