"""Tells a partner's HTTP service something."""

import os
from datetime import timedelta
from typing import Any

import requests

from worker_service import PermanentError, RetryLater
from worker_service.jobs.retry_after import respect_retry_after

TIMEOUT_SECONDS = (5, 30)
"""To connect, and between two pieces of an answer."""
BUSY = (429, 503)
WORTH_ANOTHER_TRY = (408, 425)


def call(payload: dict[str, Any], key: str) -> dict[str, Any]:
    """Send a payload, and return the answer.

    Args:
        key: the same for whoever sends it again, so that the partner can tell.

    Raises:
        RetryLater: the partner is busy; not before it says so, and it uses no attempt.
        PermanentError: the partner refuses the payload: it would another time, too.
        requests.RequestException: the partner was not reached, or failed.
    """
    answer = requests.post(
        os.environ["SHOP_PARTNER_URL"],
        json=payload,
        headers={"Idempotency-Key": key},
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
    )
    respect_retry_after(answer)
    if answer.status_code in BUSY:
        raise RetryLater(timedelta(seconds=30), note=f"the partner answered {answer.status_code}")
    if 300 <= answer.status_code < 500 and answer.status_code not in WORTH_ANOTHER_TRY:
        raise PermanentError(f"the partner refused it: {answer.status_code} {answer.text[:200]}")
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
