"""Actors of an image of somebody's own: each order is to be charged once, whatever becomes of containers."""

import os
import time
from pathlib import Path

from sink import tell  # type: ignore[import-not-found] # found in the image's /app

from worker_service import Happened, NotHappened, actor, once

SINK, BOOKS = os.environ["EFFECTS_SINK"], Path(os.environ["EFFECTS_FILE"])


@actor(max_attempts=20, min_backoff=50, max_backoff=500, max_crashes=20)
def charge(order: str, ms: int) -> str:
    """Charge an order, which takes some milliseconds before and after."""
    time.sleep(ms / 2000)
    with once("charge", verify=lambda _: look(order)) as step:
        if not step.is_done:
            tell(SINK, "charge", order)
            step.result = f"receipt-{order}"
    time.sleep(ms / 2000)
    return str(step.result)


def look(order: str) -> Happened | NotHappened:
    """Ask the bank's books whether it happened."""
    charged = any(line.split()[:2] == ["charge", order] for line in BOOKS.read_text().splitlines())
    return Happened(f"receipt-{order}") if charged else NotHappened()
