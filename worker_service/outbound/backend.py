"""Where connections are made: to addresses that were checked, and within the time of the whole exchange.

A name is looked up once and the connection goes to the very addresses that were looked at: a second lookup could answer
otherwise. Redirects connect through here as well. The HTTP client keeps the name for the Host header, and for the
certificate, which is verified by it.
"""

import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from time import monotonic
from typing import Any

import httpcore2

from ..jobs.errors import AddressRefused, PermanentError
from .addresses import Address, Network, is_permitted

Resolve = Callable[[str, int], Sequence[Address]]


def resolved(host: str, port: int) -> list[Address]:
    """The addresses of a host, in the order in which the system would try them.

    It reads numbers too, in all their spellings: 127.1, 0x7f.1 and 2130706433 are 127.0.0.1.

    Raises:
        ConnectError: the name is not known now.
        PermanentError: it is no name.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise httpcore2.ConnectError(f"{host}: {error.strerror}") from error
    except UnicodeError as error:
        raise PermanentError(f"{host!r} is no host name") from error
    return [ip_address(address[0]) for *_, address in found]


class CheckedBackend(httpcore2.NetworkBackend):
    """Makes the connections of one exchange.

    Args:
        allowed: networks that may be reached although they are not public.
        seconds: for all of it, from now on.
        resolve: looks names up.
    """

    def __init__(self, allowed: Sequence[Network], seconds: float, resolve: Resolve = resolved) -> None:
        self._allowed = allowed
        self._deadline = monotonic() + seconds
        self._resolve = resolve
        self._network = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of a host that answers; all of them have to be permitted.

        Raises:
            AddressRefused: one of them is not.
            ConnectError, ConnectTimeout: none answers.
        """
        addresses = list(dict.fromkeys(self._resolve(host, port)))
        for address in addresses:
            if not is_permitted(address, self._allowed):
                raise AddressRefused(host, str(address))
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                plain = self._network.connect_tcp(
                    str(address), port, left(self._deadline, timeout), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(plain, self._deadline)
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002 - the signature is httpcore2's
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        """Never: it leads into this host."""
        raise AddressRefused("a socket file", path)


class _TimedStream(httpcore2.NetworkStream):
    """A connection that a slow server cannot hold for longer than the whole exchange may take."""

    def __init__(self, plain: httpcore2.NetworkStream, deadline: float) -> None:
        self._plain = plain
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._plain.read(max_bytes, left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._plain.write(buffer, left(self._deadline, timeout))

    def close(self) -> None:
        self._plain.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        secure = self._plain.start_tls(ssl_context, server_hostname, left(self._deadline, timeout))
        return _TimedStream(secure, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)


def left(deadline: float, timeout: float | None) -> float:
    """How long one step may take.

    Raises:
        ReadTimeout: no time is left.
    """
    seconds = deadline - monotonic()
    if seconds <= 0:
        raise httpcore2.ReadTimeout("the whole exchange took too long")
    return seconds if timeout is None else min(seconds, timeout)
