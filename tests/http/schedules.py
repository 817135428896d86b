"""Schedules for tests, and what a scheduler does with them."""

import time
from datetime import UTC, datetime, timedelta

from worker_service.broker import ticks
from worker_service.broker.broker import JobBroker
from worker_service.broker.schedules import Timetable
from worker_service.settings import Settings
from worker_service.store import Schedules

HOUR = 3_600_000
HOURLY = {"actor": "add", "args": {"x": 1}, "cron": "0 * * * *"}
URL = "/v1/schedules/each"


def ago(**given: float) -> str:
    return (datetime.now(UTC) - timedelta(**given)).isoformat(timespec="milliseconds")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def fire(broker: JobBroker, schedules: Schedules, settings: Settings, tick_ms: int) -> ticks.Fired:
    """What a scheduler does at a tick of the schedule ``each``."""
    entry = Timetable(broker, settings.timezone).get("each")
    following = entry.definition.timing().next(tick_ms)
    return ticks.fire(broker, schedules, entry.stored.ref, entry.definition, tick_ms, next_ms=following)
