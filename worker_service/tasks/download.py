"""The one way in which tasks fetch from the web: bounded, with errors that say whether a repeat can help."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..jobs.errors import PermanentError
from ..jobs.retry_after import respect_retry_after
from ..outbound import Network, checked_client

if TYPE_CHECKING:
    import httpx2

SILENCE_SECONDS = 30.0
"""How long a server may say nothing."""
WHOLE_SECONDS = 300.0
"""How long all of it may take, redirects included."""

_MAY_GET_BETTER = {408, 425, 429}
_CONDITIONS = ("If-None-Match", "If-Modified-Since")

Conditions = Callable[[str], Mapping[str, str]]
"""URL -> the headers that ask for its page only if it is another one than before."""


class RemoteError(Exception):
    """Raised when the remote server failed or is busy (5xx, 408, 425, 429); trying again may help."""


@dataclass(frozen=True, slots=True)
class Download:
    """What a server sent.

    Attributes:
        url: where it was in the end, after redirects.
        status: 304 where the server was asked for a page that has changed, and it has not.
        headers: by their names in small letters.
        encoding: of its text.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    encoding: str
    body: bytes


def download(
    url: str, limit: int, allowed: Sequence[Network], conditions: Conditions = lambda _: {}
) -> Download:
    """GET ``url`` and follow redirects, to public addresses only.

    Connection errors and timeouts are raised as they are, to be retried.

    Args:
        limit: the most bytes the body may have, decompressed.
        allowed: networks that may be reached although they are not public.
        conditions: asked for each address on the way; what holds for one says nothing of the next.

    Raises:
        RetryLater: the server is busy and says for how long.
        RemoteError: the server failed or is busy.
        PermanentError: the URL is no http(s) URL, it or a redirect leads to an address that is not public, it
            redirects for ever, the server answered another 4xx, or the body is over the limit or cannot be read.
    """
    import httpx2

    if not url.startswith(("http://", "https://")):
        raise PermanentError(f"not an http or https URL: {url!r}")
    try:
        return _get(url, limit, allowed, conditions)
    except (
        httpx2.InvalidURL,
        httpx2.UnsupportedProtocol,
        httpx2.TooManyRedirects,
        httpx2.DecodingError,
    ) as error:
        raise PermanentError(f"{url} cannot be fetched: {error}") from error


def _get(url: str, limit: int, allowed: Sequence[Network], conditions: Conditions) -> Download:
    def ask_conditionally(request: "httpx2.Request") -> None:
        for name in _CONDITIONS:  # of the address before, which a redirect takes along
            request.headers.pop(name, None)
        request.headers.update(conditions(str(request.url)))

    client = checked_client(allowed, seconds=WHOLE_SECONDS, silence=SILENCE_SECONDS, follow_redirects=True)
    client.event_hooks = {"request": [ask_conditionally]}
    with client, client.stream("GET", url) as response:
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
            url=str(response.url),
            status=response.status_code,
            headers=dict(response.headers),
            encoding=response.encoding or "utf-8",
            body=bytes(body),
        )
