"""A scheduler for which time runs faster: ``python fast_week.py`` in the place of ``python -m scheduler``."""

import os
from datetime import UTC, datetime, timedelta

from scheduler import __main__, service
from scheduler.clock import Clock

SPEED = float(os.environ["SPEED"])
REAL_START, START = int(os.environ["REAL_START"]), int(os.environ["START"])


class FastClock(Clock):
    """The server's clock since REAL_START, that many times as fast and counted from START."""

    def now_ms(self) -> int:
        return START + int((super().now_ms() - REAL_START) * SPEED)

    def here(self, server_ms: int) -> datetime:
        return datetime.now(UTC) + timedelta(milliseconds=(server_ms - self.now_ms()) / SPEED)


vars(service)["Clock"] = FastClock

if __name__ == "__main__":
    __main__.main()
