"""Fires the ticks that have come, through the store, on one thread.

What has been fired and what comes next stands in the store and is written together with the job, so every call may
be repeated, by anybody: whatever goes wrong is answered by looking at the same schedule again a moment later.

Ticks of many schedules that have come at one instant are fired together, some dozens in a round trip. Of one schedule
there is one at a time: a later one must not overtake one that could not be fired.

A schedule of which this process cannot make jobs (it does not know the actor, or that takes other arguments) is left as
it is: its ticks wait for a process that can, and only such a one says which of them came too late.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from time import monotonic

from worker_service.broker import ticks
from worker_service.broker.broker import JobBroker
from worker_service.broker.ticks import DueTick, Fired
from worker_service.jobs.errors import InvalidJob, StoreUnavailable
from worker_service.store import Schedules

from .clock import Clock
from .plan import Planned

EARLY_MS = 50
"""A tick is fired this much ahead, rather than missed for a clock that is a little behind; its job waits."""

AT_ONCE = 50
"""Ticks in one round trip: the first of them do not wait until the jobs of hundreds are made."""

AGAIN_SECONDS = 1.0
"""How soon a schedule is tried again that could not be fired."""

NEWS = {
    "fired": "Fired %s: job %s",
    "follows": "Fired %s: job %s",
    "skipped": "Skipped %s: job %s of it has not ended",
}
"""What is told of a tick."""

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
        self._helps = False
        self._put_off: dict[str, float] = {}
        self._complaints: dict[str, str] = {}
        self._news: list[tuple[str, str, str]] = []
        self._something = threading.Event()
        self._ended = False
        # A daemon: a call to a server that does not answer must not hold up the end of the process.
        self._thread = threading.Thread(target=self._run, name="firing", daemon=True)

    def start(self) -> None:
        """Begin to fire."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Fire no more; waits ``timeout`` seconds at most for the call under way."""
        self._planned = {}
        self._ended = True
        self._something.set()
        self._thread.join(timeout)

    def follow(self, planned: list[Planned], *, helps: bool = False) -> None:
        """Fire these schedules and no others.

        Args:
            helps: whether another scheduler leads, which may know what this one does not.
        """
        self._helps = helps
        self._planned = {each.name: each for each in planned}
        self.look()

    def tell(self, _name: str = "") -> None:
        """A tick of a schedule has come; others may have, too."""
        self._something.set()

    def look(self) -> None:
        """Look for ticks that have come and were not fired when they were told: the server was away."""
        self._something.set()

    def _run(self) -> None:
        while not self._ended:
            self._something.wait()
            self._something.clear()
            try:
                while self._fire_all():
                    pass
            except StoreUnavailable:
                pass  # who keeps the lead has the same trouble, and says so
            except Exception:
                _logger.exception("Ticks could not be fired; trying again until they can.")

    def _fire_all(self) -> bool:
        """Fire one tick of each schedule that has some; whether there are more."""
        wanted: list[Planned] = []
        now_ms = self._clock.now_ms()
        for each in list(self._planned.values()):
            if self._has_come(each, now_ms):
                wanted.append(each)
            if len(wanted) == AT_ONCE:
                self._fire(wanted)
                wanted = []
        self._fire(wanted)
        self._tell_news()
        return any(each.in_turn and not self._is_put_off(each) for each in self._planned.values())

    def _tell_news(self) -> None:
        """Last, for writing a log of hundreds takes as long as firing some of them."""
        for word, name, job in self._news:
            _logger.info(NEWS[word], name, job)
        self._news.clear()

    def _has_come(self, planned: Planned, now_ms: int) -> bool:
        if planned.next_ms is None or planned.next_ms > now_ms + EARLY_MS or self._is_put_off(planned):
            return False
        if not planned.in_turn:
            with self._forgiving(planned):
                self._find_due(planned, now_ms)
        return bool(planned.in_turn)

    def _find_due(self, planned: Planned, now_ms: int) -> None:
        next_ms = planned.next_ms or 0
        due = planned.timing.due(next_ms, max(now_ms, next_ms))
        first = due.ticks[0] if due.ticks else due.following
        if first != next_ms:
            ticks.check(self._broker, planned.definition.actor, planned.definition.args)
            newest = next_ms if due.newest_missed is None else due.newest_missed
            word = self._schedules.miss(
                planned.ref, next_ms, newest, due.missed, next_ms=first, or_more=due.or_more
            )
            if word != "missed":
                self._forget(planned)
                return
            planned.next_ms = first
            if due.missed:
                _logger.warning(
                    "%s: %s ticks came while nobody could fire them, and are given up.",
                    planned.name,
                    f"{due.missed} or more" if due.or_more else due.missed,
                )
        planned.in_turn.extend((tick, later) for tick, later in pairwise([*due.ticks, due.following]) if tick)

    def _fire(self, wanted: list[Planned]) -> None:
        if not wanted:
            return
        due = [DueTick(each.ref, each.definition, *each.in_turn[0]) for each in wanted]
        for each, fired in zip(wanted, ticks.fire_many(self._broker, self._schedules, due), strict=True):
            with self._forgiving(each):
                if isinstance(fired, Exception):
                    raise fired
                self._note(each, fired)

    def _note(self, planned: Planned, fired: Fired) -> None:
        self._complaints.pop(planned.name, None)
        if fired.word in ("changed", "paused"):
            self._forget(planned)
            return
        _, planned.next_ms = planned.in_turn.popleft()
        if fired.word in NEWS:
            self._news.append((fired.word, planned.name, fired.job))

    def _forget(self, planned: Planned) -> None:
        """It is not as it was read."""
        planned.next_ms = None
        planned.in_turn.clear()
        self._reread()

    @contextmanager
    def _forgiving(self, planned: Planned) -> Iterator[None]:
        """What is wrong with one schedule holds up no other."""
        try:
            yield
        except StoreUnavailable:
            self._try_later(planned)
        except InvalidJob as error:
            self._try_later(planned)
            if self._is_new(planned, error) and not self._helps:
                _logger.error(
                    "Ticks of %s wait until a scheduler can make jobs of them: %s", planned.name, error
                )
                self._schedules.hinder(planned.ref, str(error))
        except Exception as error:
            self._try_later(planned)
            if self._is_new(planned, error):
                _logger.exception("%s cannot be fired; trying again until it can: %s", planned.name, error)
                self._reread()  # it may be damaged

    def _is_new(self, planned: Planned, error: Exception) -> bool:
        what = f"{planned.ref}: {error}"
        known = self._complaints.get(planned.name) == what
        self._complaints[planned.name] = what
        return not known

    def _try_later(self, planned: Planned) -> None:
        self._put_off[planned.name] = monotonic() + AGAIN_SECONDS

    def _is_put_off(self, planned: Planned) -> bool:
        return self._put_off.get(planned.name, 0.0) > monotonic()
