"""The HTTP client for addresses that somebody else chose."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .addresses import Network

if TYPE_CHECKING:
    import httpx2


def checked_client(
    allowed: Sequence[Network], *, seconds: float, silence: float, follow_redirects: bool
) -> "httpx2.Client":
    """A client for one exchange. It knows no proxy and no password of the environment.

    Args:
        allowed: networks that may be reached although they are not public.
        seconds: for the whole exchange, redirects and body included, from now on.
        silence: seconds for which a server may say nothing.
        follow_redirects: each hop is checked as the first one is.

    What is asked with it raises:
        AddressRefused: the address is not public.
        TimeoutException: see ``seconds`` and ``silence``.
    """
    import httpx2  # heavy, and needed by few jobs

    from .transport import CheckedTransport

    return httpx2.Client(
        transport=CheckedTransport(allowed, seconds),
        timeout=silence,
        follow_redirects=follow_redirects,
        trust_env=False,
    )
