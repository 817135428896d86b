"""Fetches a page over HTTP, and a page that has not changed since only once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..outbound import Network
from .download import download
from .fetched import Fetched, conditions_of, recall, remember

SIZE_LIMIT = 10 * 1024 * 1024
TEXT_KEPT = 16 * 1024


def fetch_remote(files: Path, url: str, allowed: Sequence[Network] = ()) -> dict[str, Any]:
    """Fetch ``url`` and return its status, type, size in bytes and the first 16 KiB of its text.

    A page that came with an ETag or a Last-Modified is remembered below ``files``: the next time the server is asked
    whether it has changed, and sends it only then.

    Connection errors, timeouts, 5xx answers and those that mean "later" (408, 425, 429) are raised, to be retried.

    Args:
        files: the directory of files.
        allowed: networks that may be reached although they are not public.

    Returns:
        ``status``, ``content_type``, ``bytes``, ``text``; and ``unchanged``, whether they are those of an earlier
        fetch because the server said that they still hold.

    Raises:
        RetryLater: the server is busy and says for how long.
        RemoteError: the server failed or is busy.
        PermanentError: the URL is no http(s) URL, it or a redirect leads to an address that is not public, it
            redirects for ever, the server answered another 4xx, or the body is over 10 MiB or cannot be read.
    """
    known: dict[str, Fetched] = {}

    def conditions(address: str) -> dict[str, str]:
        if found := recall(files, address):
            known[address] = found
        return conditions_of(found) if found else {}

    page = download(url, SIZE_LIMIT, allowed, conditions)
    if page.status == 304 and page.url in known:
        before = known[page.url]
        remember(files, page.url, before)  # it is in use: cleaned up later
        return {**before.result, "unchanged": True}
    result = {
        "status": page.status,
        "content_type": page.headers.get("content-type", ""),
        "bytes": len(page.body),
        "text": page.body[:TEXT_KEPT].decode(page.encoding, "replace"),
    }
    if page.status == 200 and "no-store" not in page.headers.get("cache-control", "").lower():
        fetched = Fetched(
            etag=page.headers.get("etag"), last_modified=page.headers.get("last-modified"), result=result
        )
        if conditions_of(fetched):
            remember(files, page.url, fetched)
    return {**result, "unchanged": False}
