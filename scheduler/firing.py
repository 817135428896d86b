"""Fires the ticks that have come, through the store, on one thread.

What has been fired and what comes next stands in the store and is written together with the job, so every call may
be repeated, by anybody: whatever goes wrong is answered by looking at the same schedule again a moment later.
"""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from worker_service.broker import ticks
from worker_service.broker.broker import JobBroker
from worker_service.jobs.errors import StoreUnavailable
from worker_service.store import Schedules

from .clock import Clock
from .plan import Planned

EARLY_MS = 50
"""A tick is fired this much ahead, rather than missed for a clock that is a little behind; its job waits."""

TURN = 50
"""Ticks of one schedule that are fired in one go, so that one that has many to catch up with holds up no other."""

_logger = logging.getLogger("scheduler")


class Firing:
    """One thread that fires.

    Args:
        broker: knows the actors.
        schedules: where they are.
        clock: the server's.
        reread: called when a schedule was found changed.
    """

    def __init__(
        self, broker: JobBroker, schedules: Schedules, clock: Clock, reread: Callable[[], None]
    ) -> None:
        self._broker = broker
        self._schedules = schedules
        self._clock = clock
        self._reread = reread
        self._planned: dict[str, Planned] = {}
        self._complained: set[str] = set()
        self._told: SimpleQueue[str | None] = SimpleQueue()
        # A daemon: a call to a server that does not answer must not hold up the end of the process.
        self._thread = threading.Thread(target=self._run, name="firing", daemon=True)

    def start(self) -> None:
        """Begin to fire."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Fire no more; waits ``timeout`` seconds at most for the call under way."""
        self._planned = {}
        self._told.put(None)
        self._thread.join(timeout)

    def follow(self, planned: list[Planned]) -> None:
        """Fire these schedules and no others."""
        self._planned = {each.name: each for each in planned}
        self.look()

    def tell(self, name: str) -> None:
        """A tick of a schedule has come."""
        self._told.put(name)

    def look(self) -> None:
        """Look for ticks that have come and were not fired when they were told: the server was away."""
        late_ms = self._clock.now_ms()
        for each in list(self._planned.values()):
            if each.next_ms is not None and each.next_ms <= late_ms:
                self.tell(each.name)

    def _run(self) -> None:
        while (name := self._told.get()) is not None:
            planned = self._planned.get(name)
            if planned is not None:
                self._try(planned)

    def _try(self, planned: Planned) -> None:
        try:
            self._fire_due(planned)
        except StoreUnavailable:
            return  # who keeps the lead has the same trouble, and says so
        except Exception as error:
            if planned.name not in self._complained:
                self._complained.add(planned.name)
                _logger.exception("%s cannot be fired; trying again until it can: %s", planned.name, error)
        else:
            self._complained.discard(planned.name)

    def _fire_due(self, planned: Planned) -> None:
        now_ms = self._clock.now_ms()
        if planned.next_ms is None or planned.next_ms > now_ms + EARLY_MS:
            return
        due = planned.timing.due(planned.next_ms, max(now_ms, planned.next_ms))
        if due.newest_missed is not None:
            self._miss(planned, due.missed, due.newest_missed, due.ticks[0] if due.ticks else due.following)
        in_turn = list(zip(due.ticks, [*due.ticks[1:], due.following], strict=True))
        for tick, following in in_turn[:TURN]:
            if not self._fire(planned, tick, following):
                return
        if len(in_turn) > TURN:
            self.tell(planned.name)  # the others first

    def _miss(self, planned: Planned, count: int, newest: int, following: int | None) -> None:
        word = self._schedules.miss(planned.ref, newest, count, next_ms=following)
        planned.next_ms = following
        if word == "missed":
            _logger.warning(
                "%s: %d ticks came while nobody could fire them, and are given up.", planned.name, count
            )

    def _fire(self, planned: Planned, tick: int, following: int | None) -> bool:
        """Whether this version of the schedule is still the one to fire."""
        fired = ticks.fire(
            self._broker, self._schedules, planned.ref, planned.definition, tick, next_ms=following
        )
        if fired.word in ("changed", "paused"):
            planned.next_ms = None
            self._reread()
            return False
        planned.next_ms = following
        if fired.word in ("fired", "follows"):
            _logger.info("Fired %s: job %s", planned.name, fired.job)
        elif fired.word == "skipped":
            _logger.info("Skipped %s: job %s of it has not ended", planned.name, fired.job)
        return True
