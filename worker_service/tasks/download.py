"""The one way in which tasks fetch from the web: bounded, with errors that say whether a repeat can help."""

from dataclasses import dataclass

from ..jobs.errors import PermanentError
from ..jobs.retry_after import respect_retry_after

SILENCE_SECONDS = 30.0
"""How long a server may say nothing."""

_MAY_GET_BETTER = {408, 425, 429}


class RemoteError(Exception):
    """Raised when the remote server failed or is busy (5xx, 408, 425, 429); trying again may help."""


@dataclass(frozen=True, slots=True)
class Download:
    """What a server sent.

    Attributes:
        content_type: as the server says; empty when it does not.
        encoding: of its text.
    """

    status: int
    content_type: str
    encoding: str
    body: bytes


def download(url: str, limit: int) -> Download:
    """GET ``url`` and follow redirects.

    Connection errors and timeouts are raised as they are, to be retried.

    Args:
        limit: the most bytes the body may have.

    Raises:
        RetryLater: the server is busy and says for how long.
        RemoteError: the server failed or is busy.
        PermanentError: the URL is no http(s) URL, it redirects for ever, the server answered another 4xx, or the body
            is over the limit.
    """
    import httpx2

    if not url.startswith(("http://", "https://")):
        raise PermanentError(f"not an http or https URL: {url!r}")
    try:
        return _get(url, limit)
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.TooManyRedirects) as error:
        raise PermanentError(f"{url} cannot be fetched: {error}") from error


def _get(url: str, limit: int) -> Download:
    import httpx2

    with httpx2.stream("GET", url, timeout=SILENCE_SECONDS, follow_redirects=True) as response:
        respect_retry_after(response)
        if response.status_code >= 500 or response.status_code in _MAY_GET_BETTER:
            raise RemoteError(f"{url} answered {response.status_code}")
        if response.status_code >= 400:
            raise PermanentError(f"{url} answered {response.status_code}")
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limit:
                raise PermanentError(f"{url} has more than {limit} bytes")
        return Download(
            status=response.status_code,
            content_type=response.headers.get("content-type", ""),
            encoding=response.encoding or "utf-8",
            body=bytes(body),
        )
