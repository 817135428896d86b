"""Actors that do what a page has to show."""

import time
from typing import Annotated, Any, Literal

from worker_service import Sensitive, actor, current_job, once


@actor(queue_name="pages", max_attempts=1)
def succeed(value: Any = None) -> Any:
    """Returns what it is given."""
    return value


@actor(queue_name="pages", max_attempts=1)
def fail(message: str) -> None:
    """Fails for good."""
    raise ValueError(message)


@actor(queue_name="pages", max_attempts=1)
def work(seconds: float, note: str = "") -> str:
    """Runs for a while, and tells how far it is."""
    job = current_job()
    assert job is not None
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        job.progress(100 * (1 - left / seconds), note)
        job.log(f"{left:.1f} s are left. {note}")
        time.sleep(min(left, 0.2))
    return "worked"


@actor(queue_name="asleep", max_attempts=1)
def wait(number: int = 0) -> int:
    """On a queue that is paused, as a rule."""
    return number


@actor(queue_name="pages", max_attempts=2)
def order(
    customer: str,
    card: Annotated[str, Sensitive()],
    amount: int,
    size: Literal["small", "large"] = "small",
    gift: bool = False,
    tags: list[str] | None = None,
) -> str:
    """Has arguments of many types, one of which is secret."""
    return f"{customer}: {amount} {size} {gift} {tags} {len(card)}"


@actor(queue_name="pages", max_attempts=1)
def charge(order: int) -> str:
    """Charges at a bank that never answers."""
    with once("charge") as step:
        if not step.is_done:
            raise ConnectionError(f"no answer about order {order}")
    return str(step.result)
