"""Addresses that name sentinels: they know which server is the primary now.

    redis+sentinel://[user:password@]host[:port][,host[:port]...]/service[/database][?option=value&...]

User and password are the server's; the sentinels' own are the options ``sentinel_username`` and ``sentinel_password``.
The other options are those of redis-py. ``rediss+sentinel://`` asks servers and sentinels over TLS.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import redis
from redis.connection import parse_url
from redis.sentinel import (
    Sentinel,
    SentinelConnectionPoolProxy,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

SCHEMES = ("redis+sentinel://", "rediss+sentinel://")
PORT = 26379
ANSWER_SECONDS = 1.0
"""How long a sentinel may take, before the next one is asked."""

_OWN = ("sentinel_username", "sentinel_password")
_SHAPE = "redis+sentinel://host:port,host:port/service/0"


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """What such an address says.

    Attributes:
        sentinels: hosts and ports.
        service: what the sentinels call the primary.
        of_server, of_sentinels: what redis-py is given for connections to either.
    """

    sentinels: list[tuple[str, int]]
    service: str
    of_server: dict[str, Any]
    of_sentinels: dict[str, Any]
    is_encrypted: bool

    @classmethod
    def read(cls, url: str) -> "SentinelAddress":
        """Read an address.

        Raises:
            ValueError: it is none; does not repeat it, as it may hold a password.
        """
        parts = urlsplit(url)
        login, _, hosts = parts.netloc.rpartition("@")
        service, _, database = parts.path.lstrip("/").partition("/")
        if not service:
            raise ValueError(f"name the service behind the sentinels, as in {_SHAPE}")
        sentinels = [_host_and_port(host) for host in hosts.split(",")]
        options = parse_qs(parts.query)
        given = [name for name in _OWN if name in options]
        own: dict[str, Any] = {name.removeprefix("sentinel_"): options.pop(name)[-1] for name in given}
        is_encrypted = parts.scheme.startswith("rediss")
        scheme = "rediss" if is_encrypted else "redis"
        at = f"{login}@" if login else ""
        of_server: dict[str, Any] = parse_url(
            f"{scheme}://{at}server/{database}?{urlencode(options, doseq=True)}"
        )
        for name in ("host", "connection_class"):
            of_server.pop(name, None)
        encryption = {name: value for name, value in of_server.items() if name.startswith("ssl_")}
        if is_encrypted:
            own |= {"ssl": True, **encryption}
        return cls(sentinels, service, of_server, own, is_encrypted)

    def pool(self, **options: Any) -> redis.BlockingConnectionPool:
        """Connections to whichever server is the primary when each is made; `options` are those of the pool."""
        asked = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
        sentinel = Sentinel(self.sentinels, sentinel_kwargs={**asked, **self.of_sentinels})
        kind = SentinelManagedSSLConnection if self.is_encrypted else SentinelManagedConnection
        pool = redis.BlockingConnectionPool(connection_class=kind, **{**self.of_server, **options})
        # As redis-py's own pool for sentinels does it, which would not wait for a connection that is free.
        pool.connection_kwargs["connection_pool"] = SentinelConnectionPoolProxy(
            connection_pool=pool,
            is_master=True,
            check_connection=False,
            service_name=self.service,
            sentinel_manager=sentinel,
        )
        return pool

    def __str__(self) -> str:
        """For messages."""
        hosts = ", ".join(f"{host}:{port}" for host, port in self.sentinels)
        return f"{self.service} (as the sentinels at {hosts} say)"


def names_sentinels(url: str) -> bool:
    """Whether an address is one of these."""
    return url.startswith(SCHEMES)


def _host_and_port(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise ValueError(f"name the sentinels by host and port, parted by commas, as in {_SHAPE}")
    return host, port or PORT
