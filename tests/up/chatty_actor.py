"""Actors that log in every way there is."""

import asyncio
import logging
from typing import Annotated

import structlog

from worker_service import RetryLater, Sensitive, actor

_foreign = logging.getLogger("elsewhere")
_asked: list[bool] = []


@actor
def chat(text: str) -> str:
    """Two lines of its own."""
    _foreign.warning("a line of a foreign %s", "logger")
    structlog.get_logger("team").info("a line of structlog", size=len(text))
    return text


@actor
async def chat_later(number: int) -> int:
    """A line after a pause, in which coroutines of other jobs run."""
    await asyncio.sleep(0.05)
    _foreign.warning("a line of a coroutine")
    return number


@actor(max_attempts=2, backoff=10)
def fail_with(token: Annotated[str, Sensitive()]) -> None:
    """Fails, and tells its secret to everybody."""
    _foreign.error("trying %s", token)
    raise ValueError(f"{token} is refused")


@actor
def later_once() -> None:
    """Comes again once, as an actor does whose partner is busy."""
    if not _asked:
        _asked.append(True)
        raise RetryLater(delay_ms=10, note="the partner is busy")
