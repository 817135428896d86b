"""A scheduler for which time runs faster: ``python fast_week.py`` in the place of ``python -m scheduler``.

With EVERYBODY_LEADS it believes to lead, whatever the store says, as one does that was held up at the wrong moment.
"""

import dataclasses
import os
from datetime import UTC, datetime, timedelta

from scheduler import __main__, service
from scheduler.clock import Clock
from scheduler.leadership import Leadership
from worker_service.store import Lead

SPEED = float(os.environ["SPEED"])
REAL_START, START = int(os.environ["REAL_START"]), int(os.environ["START"])


class FastClock(Clock):
    """The server's clock since REAL_START, that many times as fast and counted from START."""

    def now_ms(self) -> int:
        return START + int((super().now_ms() - REAL_START) * SPEED)

    def here(self, server_ms: int) -> datetime:
        return datetime.now(UTC) + timedelta(milliseconds=(server_ms - self.now_ms()) / SPEED)


class AlwaysLeads(Leadership):
    """Among others that do."""

    def renew(self) -> Lead:
        return dataclasses.replace(super().renew(), leads=True)


vars(service)["Clock"] = FastClock
if "EVERYBODY_LEADS" in os.environ:
    vars(service)["Leadership"] = AlwaysLeads

if __name__ == "__main__":
    __main__.main()
