"""Checks every invariant of a namespace while it works, and repairs what is broken."""

from collections.abc import Callable

import redis
from redis.exceptions import RedisError, ResponseError

from ...jobs.errors import StoreUnavailable
from ..connection import translated
from ..keys import Keys
from ..schema import refuse_newer
from .belongings import check_belongings
from .findings import Report
from .groups import check_groups
from .jobs import check_jobs
from .keyspace import check_keys
from .locks import check_locks
from .look import Look
from .places import check_places
from .queues import check_queues
from .schedules import check_schedules
from .sessions import check_sessions
from .tags import check_tags
from .totals import check_totals

CHECKS: tuple[Callable[[Look], None], ...] = (
    check_keys,
    check_jobs,
    check_places,
    check_sessions,
    check_belongings,
    check_tags,
    check_queues,
    check_groups,
    check_locks,
    check_schedules,
    check_totals,
)
"""In the order in which a repair leaves nothing for a second one: what others need comes first."""


def _nobody(what: str, looked_at: int) -> None:
    """Tell nobody how far an examination is."""


def examine(
    client: redis.Redis,
    namespace: str,
    *,
    repair: bool = False,
    now_ms: int | None = None,
    tell: Callable[[str, int], None] = _nobody,
) -> Report:
    """Look at everything that a namespace holds; jobs may move meanwhile.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
        repair: whether to mend what is found.
        now_ms: replaces the server's clock, for tests.
        tell: is told now and then what is looked at, and how much of it has been.

    Raises:
        StoreUnavailable: Redis is away, or does not let us look; what was found until then is lost, what was
            repaired is not.
        StoreTooNew: the data was written by a newer version, which knows more of it.
    """
    look = Look(client, Keys(namespace), repair=repair, now_ms=now_ms, tell=tell)
    try:
        with translated():
            _check_schema(look)
            for check in CHECKS:
                check(look)
    except RedisError as error:
        raise StoreUnavailable(f"Redis refuses: {error}") from error
    return look.report


def _check_schema(look: Look) -> None:
    """As a start does, but without a write, and bearing what the checks will name."""
    try:
        found = look.client.hget(look.keys.meta, "schema")
    except ResponseError:
        return
    refuse_newer(found)
