"""httpx2's transport over connections that are checked."""

from collections.abc import Sequence

import httpcore2
import httpx2

from .addresses import Network
from .backend import CheckedBackend, Resolve, resolved


class CheckedTransport(httpx2.HTTPTransport):
    """Sends requests through `CheckedBackend`, and through nothing else.

    The base's own ``__init__`` is not called: it would make a pool without the check. Should the base come to look for
    its pool elsewhere, requests fail.
    """

    def __init__(self, allowed: Sequence[Network], seconds: float, resolve: Resolve = resolved) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            network_backend=CheckedBackend(allowed, seconds, resolve),
        )
