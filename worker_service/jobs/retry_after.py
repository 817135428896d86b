"""The HTTP header ``Retry-After``: when a server asks to be left alone for a while."""

import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .backoff import SNOOZED_LIMIT_MS
from .errors import RetryLater

STATUSES = (429, 503)
LEAST_JITTER_MS = 1_000


def respect_retry_after(response: Any) -> None:
    """Put the job back when a response asks for it; does nothing otherwise.

    Args:
        response: of httpx, requests, aiohttp or urllib (its ``HTTPError`` too), or anything that has ``headers`` and
            a ``status_code`` or ``status``.

    Raises:
        RetryLater: the status is 429 or 503 and a Retry-After can be read. Never earlier than it says, up to a
            tenth (at least up to a second) later, so that not all come back at once; at most a day. A date is
            measured from the server's own (``Date``) where it tells it: the clock of this machine may be wrong.
    """
    status = getattr(response, "status_code", None)
    if status is None:
        status = response.status
    if status not in STATUSES:
        return
    sent_at = _instant(response.headers.get("Date"))
    asked = retry_after_ms(response.headers.get("Retry-After"), sent_at.timestamp() if sent_at else None)
    if asked is not None:
        jitter = random.randint(0, max(LEAST_JITTER_MS, asked // 10))
        delay = min(asked + jitter, SNOOZED_LIMIT_MS)
        raise RetryLater(delay_ms=delay, note=f"the server answered {status}: later")


def retry_after_ms(header: str | None, now: float | None = None) -> int | None:
    """Milliseconds that a Retry-After asks for, 0 when that instant has passed; None when it cannot be read.

    Args:
        header: seconds, or an HTTP date.
        now: seconds since 1970, by default of this machine's clock.

    Source: RFC 9110, section 10.2.3.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:12]), 10**9) * 1000
    at = _instant(text)
    if at is None:
        return None
    moment = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    return max(0, -int(-(at - moment).total_seconds() * 1000 // 1))


def _instant(http_date: str | None) -> datetime | None:
    """None for what is no date."""
    try:
        at = parsedate_to_datetime(http_date or "")
    except (TypeError, ValueError, IndexError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
