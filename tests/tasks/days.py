"""A day as its report tells it, for the tests of that."""

from datetime import date
from typing import Any

from worker_service.tasks.report.day import Counted, Day, Failed, Punctuality, Spread

DATE = date(2026, 11, 25)
MIDNIGHT = 1_795_564_800_000
NOTHING = Spread(None, None, None)


def counted(name: str, wait: Spread = NOTHING, run: Spread = NOTHING, **counts: int) -> Counted:
    """What an actor or an hour counted."""
    return Counted(name, counts, wait, run)


def a_day(**changes: Any) -> Day:
    """Two busy hours of two actors."""
    hours = [counted(f"{hour:02}:00") for hour in range(24)]
    hours[9] = counted("09:00", Spread(4, 3, 9), Spread(900, 800, 2400), succeeded=120, dead=3)
    hours[11] = counted("11:00", Spread(4, 3, 9), Spread(900, 800, 61_000), succeeded=60)
    day = {
        "date": DATE,
        "until_ms": None,
        "total": counted("all", run=Spread(900, 800, 61_000), enqueued=1200, succeeded=180, dead=3),
        "hours": hours,
        "actors": [
            counted("add", enqueued=1000, succeeded=100),
            counted(
                "send_email", Spread(4, 3, 9), Spread(900, 800, 61_000), enqueued=200, succeeded=80, dead=3
            ),
        ],
        "failures": [Failed("send_email", "PermanentError: no such user", 3, MIDNIGHT, MIDNIGHT + 3_660_000)],
        "has_more_failures": False,
        "schedules": [Punctuality("nightly", [5, 2000], skipped=1, missed=2)],
        "has_more_schedules": False,
    }
    return Day(**{**day, **changes})
