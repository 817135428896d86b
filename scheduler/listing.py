"""The next ticks of what the code of this process declares, for people."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from worker_service import registry
from worker_service.jobs.schedule import Definition
from worker_service.settings import settings

from .declarations import declared

SHOWN = 5


def print_next() -> None:
    """Print them, each schedule with its rule and in its own zone.

    Raises:
        WrongSettings, InvalidJob, ImportError: the settings, a declared schedule or an actor module are wrong.
    """
    now_ms = time.time_ns() // 1_000_000
    for name, definition in sorted(declared(registry.load(), settings()).items()):
        print(f"{name}: {definition.actor}, {_rule(definition)}")  # noqa: T201 - what --list is for
        timing, tick = definition.timing(), now_ms
        for _ in range(SHOWN):
            following = timing.next(tick)
            if following is None:
                break
            tick = following
            print(f"  {_shown(tick, definition.timezone)}")  # noqa: T201 - as above


def _rule(definition: Definition) -> str:
    if definition.cron is not None:
        return f"cron {definition.cron} ({definition.timezone})"
    if definition.every_ms is not None:
        return f"every {definition.every_ms / 1000:g} s"
    return f"at {definition.at}"


def _shown(tick_ms: int, zone: str) -> str:
    return (
        datetime.fromtimestamp(tick_ms / 1000, UTC)
        .astimezone(ZoneInfo(zone))
        .isoformat(timespec="milliseconds")
    )
