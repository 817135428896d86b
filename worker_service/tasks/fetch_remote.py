"""Fetches a page over HTTP."""

from typing import Any

from ..jobs.errors import PermanentError

SIZE_LIMIT = 10 * 1024 * 1024
TEXT_KEPT = 16 * 1024
TIMEOUT_SECONDS = 30.0


class RemoteError(Exception):
    """Raised when the remote server failed (5xx); trying again may help."""


def fetch_remote(url: str) -> dict[str, Any]:
    """Fetch ``url`` and return its status, type, size in bytes and the first 16 KiB of its text.

    Connection errors, timeouts and 5xx answers are raised, to be retried.

    Raises:
        RemoteError: the server answered 5xx.
        PermanentError: the URL is no http(s) URL, it redirects for ever, the server answered 4xx, or the body is over
            10 MiB.
    """
    import httpx2

    if not url.startswith(("http://", "https://")):
        raise PermanentError(f"not an http or https URL: {url!r}")
    try:
        return _fetch(url)
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.TooManyRedirects) as error:
        raise PermanentError(f"{url} cannot be fetched: {error}") from error


def _fetch(url: str) -> dict[str, Any]:
    import httpx2

    with httpx2.stream("GET", url, timeout=TIMEOUT_SECONDS, follow_redirects=True) as response:
        if response.status_code >= 500:
            raise RemoteError(f"{url} answered {response.status_code}")
        if response.status_code >= 400:
            raise PermanentError(f"{url} answered {response.status_code}")
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > SIZE_LIMIT:
                raise PermanentError(f"{url} has more than {SIZE_LIMIT} bytes")
        return {
            "status": response.status_code,
            "content_type": response.headers.get("content-type", ""),
            "bytes": len(body),
            "text": bytes(body[:TEXT_KEPT]).decode(response.encoding or "utf-8", "replace"),
        }
