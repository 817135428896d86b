"""What the scheduler that leads says in its log of the whole service: once a minute, and what needs somebody.

So the log alone tells that workers are gone, that jobs of one actor fail, or that a queue grows.
"""

import logging
from collections.abc import Callable
from time import monotonic

from worker_service.broker.alerts import Alert, Alerts
from worker_service.store.overview import Overview, Overviews

EVERY_SECONDS = 60.0
SAY_AGAIN_SECONDS = 600.0

_logger = logging.getLogger("scheduler.report")


class Report:
    """Looks when it is time.

    Args:
        alerts, readings: of the namespace.
        clock: monotonic seconds.
    """

    def __init__(self, alerts: Alerts, readings: Overviews, clock: Callable[[], float] = monotonic) -> None:
        self._alerts = alerts
        self._readings = readings
        self._clock = clock
        self._look_at = clock() + EVERY_SECONDS
        self._said: dict[tuple[str, str], float] = {}

    def look(self) -> None:
        """Say how the service does, if a minute has passed.

        Raises:
            StoreUnavailable: Redis is away.
        """
        now = self._clock()
        if now < self._look_at:
            return
        self._look_at = now + EVERY_SECONDS
        overview = self._readings.read()
        _say_how_it_does(overview)
        self._say(self._alerts.now(overview), now)

    def _say(self, alerts: list[Alert], now: float) -> None:
        """Each when it begins, every ten minutes while it lasts, and when it is over."""
        lasting = {(each.name, each.of) for each in alerts}
        for key in [key for key in self._said if key not in lasting]:
            del self._said[key]
            _logger.info("It is over.", extra={"alert": key[0], "of": key[1]})
        for each in alerts:
            said_at = self._said.get((each.name, each.of))
            if said_at is None or now - said_at >= SAY_AGAIN_SECONDS:
                self._said[each.name, each.of] = now
                level = logging.ERROR if each.severity == "critical" else logging.WARNING
                _logger.log(level, each.text, extra={"alert": each.name, "of": each.of})


def _say_how_it_does(overview: Overview) -> None:
    told = {
        "queued": overview.queued,
        "delayed": overview.delayed,
        "running": overview.running,
        "oldest_ms": overview.oldest_ms,
        "workers": overview.open_workers,
    }
    is_at_rest = not (told["queued"] or told["running"])
    _logger.log(logging.DEBUG if is_at_rest else logging.INFO, "the service", extra=told)
