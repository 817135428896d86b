"""Fires the ticks that have come, through the store, on one thread.

Promises, for any number of schedulers on any number of machines:

- One job per tick, because the script that creates it compares the tick with the last one. That also makes every
  call repeatable, so whatever goes wrong is answered by firing the same tick again.
- A schedule's ticks go in order. A tick is left only when it was fired, by whomever: while the server is away,
  full or loading, all ticks stay (see backlog for the one bound), and nothing ends this thread.
- A scheduler that starts fires a missed tick only while no other is catching up: that one may still
  keep earlier ticks, which would count as fired with this one.

The clocks of machines: a job does not start before its tick by the server's clock, so a scheduler whose clock is
ahead creates jobs early that wait, and one whose clock is behind finds its ticks fired. One that starts, or goes on,
more than `HELD_UP_MS` ahead fires nothing: its ticks would count for the others' until their clocks get there.
"""

import logging
import threading
from collections.abc import Iterable
from time import monotonic, time_ns

from worker_service.broker import ticks
from worker_service.broker.broker import JobBroker
from worker_service.jobs.errors import StoreUnavailable

from .backlog import HELD_UP_MS, Backlog
from .schedules import Schedule
from .triggers import instant

AWAY_SECONDS = 0.5
BROKEN_SECONDS = 10.0
OTHERS_SECONDS = 2.0
"""How long a missed tick is left to schedulers that are catching up; above `AWAY_SECONDS`, after which they go on."""

_logger = logging.getLogger("scheduler")


class _Line:
    """A schedule, its ticks, and when to look at them again."""

    def __init__(self, schedule: Schedule, now: float) -> None:
        self.name = schedule.name
        self.every_ms = schedule.every_ms
        self.backlog = Backlog(schedule.every_ms, now)
        self.not_before = now
        self.last_seen: int | None = None
        self.complained = False

    def is_ready(self, now: float) -> bool:
        if self.not_before > now or self.backlog.newest is None:
            return False
        return not self.backlog.has_begun or self.backlog.head() is not None


class Firing:
    """One thread that fires.

    Args:
        broker: with the actors of the schedules.
        schedules: what to fire; they begin at the moment of this call.
    """

    def __init__(self, broker: JobBroker, schedules: Iterable[Schedule]) -> None:
        now = monotonic()
        self._broker = broker
        self._lines = {schedule.name: _Line(schedule, now) for schedule in schedules}
        self._changed = threading.Condition()
        self._stopped = False
        self._away = False
        # A daemon: a call to a server that does not answer must not hold up the end of the process.
        self._thread = threading.Thread(target=self._run, name="firing", daemon=True)

    def start(self) -> None:
        """Begin to fire."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Fire no more; waits ``timeout`` seconds at most for the call under way."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(timeout)

    def tell(self, name: str, tick_ms: int) -> None:
        """A tick of a schedule has come."""
        with self._changed:
            self._lines[name].backlog.tell(tick_ms, monotonic())
            self._changed.notify_all()

    def _run(self) -> None:
        while lines := self._wait_for_lines():
            for line in lines:
                self._serve(line)

    def _wait_for_lines(self) -> list[_Line]:
        """The schedules to look at now; none when stopped."""
        with self._changed:
            while not self._stopped:
                now = monotonic()
                ready = [line for line in self._lines.values() if line.is_ready(now)]
                if ready:
                    return ready
                later = [line.not_before - now for line in self._lines.values() if line.not_before > now]
                self._changed.wait(min(later, default=None))
            return []

    def _serve(self, line: _Line) -> None:
        """Take one step with a schedule; afterwards it is further, or has to wait."""
        try:
            if line.backlog.has_begun:
                self._fire(line)
            else:
                self._begin(line)
        except StoreUnavailable as error:
            self._pause(line, AWAY_SECONDS)
            if not self._away:
                _logger.warning("Firing waits, and keeps its ticks: %s", error)
                self._away = True
        except Exception:
            self._pause(line, BROKEN_SECONDS)
            if not line.complained:
                _logger.exception("%s cannot be fired; trying again until it can.", line.name)
                line.complained = True
        else:
            if self._away:
                _logger.info("Firing goes on.")
                self._away = False

    def _begin(self, line: _Line) -> None:
        state = self._broker.reads.schedule(line.name)
        with self._changed:
            first = line.backlog.first_tick(state.now_ms, monotonic())
            # The newest tick counts as well: it may have been told before the clock was corrected.
            ahead_ms = max(time_ns() // 1_000_000, line.backlog.newest or 0) - state.now_ms
            watched, line.last_seen = line.last_seen, None
            if ahead_ms > HELD_UP_MS:
                self._refuse(line, ahead_ms)
            elif state.last_ms is None:
                line.backlog.begin(first + line.every_ms)
            elif state.last_ms >= first or state.last_ms == watched:
                line.backlog.begin(first)
            else:
                line.last_seen = state.last_ms
                line.not_before = monotonic() + OTHERS_SECONDS

    def _refuse(self, line: _Line, ahead_ms: int) -> None:
        line.not_before = monotonic() + BROKEN_SECONDS
        if not line.complained:
            line.complained = True
            _logger.error(
                "%s is not fired: the clock of this machine is %d s ahead of the server's. "
                "Correct it and start the scheduler again.",
                line.name,
                ahead_ms // 1000,
            )

    def _fire(self, line: _Line) -> None:
        with self._changed:
            tick = line.backlog.head()
        if tick is None:
            return
        job = ticks.fire(self._broker, line.name, tick)
        with self._changed:
            given_up = line.backlog.fired(tick)
            line.complained = False
        if given_up:
            _logger.warning("%s: %d ticks were given up, too many to keep.", line.name, given_up)
        if job is not None:
            at = instant(tick).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            _logger.info("Fired %s of %s: job %s", line.name, at, job.id)

    def _pause(self, line: _Line, seconds: float) -> None:
        with self._changed:
            line.not_before = monotonic() + seconds
