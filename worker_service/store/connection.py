"""Connections to Redis or Valkey, each with an explicit retry policy, and the translation of their errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    BusyLoadingError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import TimeoutError as NoAnswer
from redis.retry import Retry

from ..jobs.errors import StoreFull, StoreUnavailable
from ..server_url import SentinelUrl, names_sentinels
from .sentinels import primary_pool

#: Seconds that a command may take before the connection counts as dead.
COMMAND_TIMEOUT = 5.0

#: Connections of one client. More threads than these take turns: each needs one for the time of a command.
MOST_CONNECTIONS = 100

_TRANSIENT = (BusyLoadingError, LostConnection, MasterDownError, NoAnswer, ReadOnlyError, TryAgainError)
_TRANSIENT_WORDS = ("LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS", "UNBLOCKED", "MISCONF", "BUSY")


def connect(url: str, *, retries: int = 2, timeout: float = COMMAND_TIMEOUT) -> redis.Redis:
    """A client whose commands are repeated ``retries`` times after a lost connection; not after a timeout, because
    who asked has waited long enough then.

    Repeating is safe because every script is (see lua/). A blocking command needs a client of its own with
    ``retries=0`` and a ``timeout`` above its block time.

    Args:
        url: ``redis://``, ``rediss://``, ``unix://``, or one that names sentinels (see `server_url`).
        retries: how often a command is repeated after a connection error.
        timeout: seconds until a command without an answer fails.
    """
    options: dict[str, Any] = {
        "max_connections": MOST_CONNECTIONS,
        "timeout": COMMAND_TIMEOUT,  # to wait for one that is free
        "retry": _retry(retries),
        "socket_timeout": timeout,
        "driver_info": None,  # two commands for each connection that tell the server what we are
    }
    if not url.startswith("unix:"):
        options |= {"socket_connect_timeout": COMMAND_TIMEOUT, "socket_keepalive": True}
    if names_sentinels(url):
        return redis.Redis(connection_pool=primary_pool(SentinelUrl.read(url), **options))
    return redis.Redis(connection_pool=redis.BlockingConnectionPool.from_url(url, **options))


def _retry(times: int) -> Retry:
    return Retry(ExponentialWithJitterBackoff(cap=0.5, base=0.02), times, supported_errors=(LostConnection,))


@contextmanager
def translated() -> Iterator[None]:
    """Turn what Redis raises for a passing reason into `StoreUnavailable` or `StoreFull`; let the rest through."""
    try:
        yield
    except OutOfMemoryError as error:
        raise StoreFull(f"Redis has reached its memory limit: {error}") from error
    except _TRANSIENT as error:
        raise StoreUnavailable(f"Redis is not available: {error}") from error
    except RedisError as error:
        if str(error).startswith(_TRANSIENT_WORDS):
            raise StoreUnavailable(f"Redis is not available: {error}") from error
        if str(error).startswith("OOM") or "OOM command not allowed" in str(error):
            raise StoreFull(f"Redis has reached its memory limit: {error}") from error
        raise
