"""Connections to the server that sentinels name as the primary; `server_url` says how they are addressed."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as LostConnection
from redis.retry import Retry
from redis.sentinel import (
    SentinelConnectionPoolProxy,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from ..server_url import SentinelUrl

ANSWER_SECONDS = 1.0
"""How long a sentinel may take, before the next one is asked."""


class _Sentinels:
    """Asks them in turn, beginning with the one that knew the last time.

    In place of redis-py's own, which asks one that is silent four times over some fifteen seconds, and which may
    forget one for good when two threads ask at once.
    """

    def __init__(self, url: SentinelUrl, options: dict[str, Any]) -> None:
        self._sentinels = [
            redis.Redis(
                host=host,
                port=port,
                retry=Retry(NoBackoff(), 0),
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=ANSWER_SECONDS,
                driver_info=None,
                **options,
            )
            for host, port in url.sentinels
        ]
        self._names = [f"{host}:{port}" for host, port in url.sentinels]
        self._first = 0

    def discover_master(self, service: str) -> tuple[str, int]:
        """Host and port of the primary; the name is redis-py's.

        Raises:
            redis.exceptions.ConnectionError: none of them knows one that lives; with what each says.
        """
        first, count = self._first, len(self._sentinels)
        said = []
        for place in (*range(first, count), *range(first)):
            try:
                state = self._sentinels[place].sentinel_master(service)
            except AuthenticationError:
                said.append(f"{self._names[place]} refuses the sentinel_password, or wants one")
                continue
            except RedisError as error:
                said.append(f"{self._names[place]} says: {error}")
                continue
            if state["is_master"] and not state["is_sdown"] and not state["is_odown"]:
                self._first = place
                return state["ip"], state["port"]
            said.append(f"{self._names[place]} says: it is down")
        raise LostConnection(f"No sentinel knows a primary of {service!r} ({'; '.join(said)}).")


class _ToPrimary(SentinelManagedConnection):
    """Closed when an answer does not come in time, and known to be out of date when another server is the primary.

    redis-py's connections are closed then; those of its sentinels are not, for another default of one argument. They
    would stay with a primary that is cut off, and take an answer that comes late for that to the next command.
    """

    def read_response(
        self, disable_decoding: bool = False, *, disconnect_on_error: bool | None = True, **options: Any
    ) -> Any:
        return super().read_response(disable_decoding, disconnect_on_error=disconnect_on_error, **options)

    def should_reconnect(self) -> bool:
        """Whether another connection has learned of another primary."""
        newest: tuple[str, int] | None = self.connection_pool.master_address
        is_told: bool = super().should_reconnect()  # type: ignore[no-untyped-call]
        return is_told or (self.host, self.port) != newest


class _ToPrimaryEncrypted(_ToPrimary, SentinelManagedSSLConnection):
    pass


def primary_pool(url: SentinelUrl, **options: Any) -> redis.BlockingConnectionPool:
    """Connections to whichever server is the primary when each is made.

    Args:
        options: of the pool and its connections; what the address says counts more, as in other addresses.
    """
    of_server: dict[str, Any] = parse_url(url.server)
    for name in ("host", "connection_class"):
        of_server.pop(name, None)
    of_sentinels: dict[str, Any] = dict(url.login)
    if url.is_encrypted:
        of_sentinels["ssl"] = True
        of_sentinels |= {name: value for name, value in of_server.items() if name.startswith("ssl_")}
    kind = _ToPrimaryEncrypted if url.is_encrypted else _ToPrimary
    pool = redis.BlockingConnectionPool(connection_class=kind, **{**options, **of_server})
    # As redis-py's own pool for sentinels does it, which would not wait for a connection that is free.
    pool.connection_kwargs["connection_pool"] = SentinelConnectionPoolProxy(
        connection_pool=pool,
        is_master=True,
        check_connection=False,
        service_name=url.service,
        sentinel_manager=_Sentinels(url, of_sentinels),
    )
    return pool
