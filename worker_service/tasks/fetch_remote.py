"""Fetches a page over HTTP."""

from collections.abc import Sequence
from typing import Any

from ..outbound import Network
from .download import download

SIZE_LIMIT = 10 * 1024 * 1024
TEXT_KEPT = 16 * 1024


def fetch_remote(url: str, allowed: Sequence[Network] = ()) -> dict[str, Any]:
    """Fetch ``url`` and return its status, type, size in bytes and the first 16 KiB of its text.

    Connection errors, timeouts, 5xx answers and those that mean "later" (408, 425, 429) are raised, to be retried.

    Args:
        allowed: networks that may be reached although they are not public.

    Raises:
        RemoteError: the server failed or is busy.
        PermanentError: the URL is no http(s) URL, it or a redirect leads to an address that is not public, it
            redirects for ever, the server answered another 4xx, or the body is over 10 MiB or cannot be read.
    """
    page = download(url, SIZE_LIMIT, allowed)
    return {
        "status": page.status,
        "content_type": page.content_type,
        "bytes": len(page.body),
        "text": page.body[:TEXT_KEPT].decode(page.encoding, "replace"),
    }
