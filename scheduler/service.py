"""What the scheduler process runs: a thread that keeps the lead, a timer, and a thread that fires.

The main thread only waits for a signal. Python handles one on that thread alone, between two of its own instructions; a
name lookup that hangs would hold it up for as long as the orchestrator waits until it kills.
"""

import contextlib
import logging
import threading
from collections.abc import Mapping
from time import monotonic

from worker_service import registry
from worker_service.broker.alerts import Alerts
from worker_service.broker.broker import JobBroker
from worker_service.jobs.errors import StoreTooNew, StoreUnavailable
from worker_service.jobs.schedule import Definition
from worker_service.settings import settings
from worker_service.store import Schedules, SchedulesBell
from worker_service.store.canary import Canary
from worker_service.store.overview import Overviews

from .clock import Clock
from .declarations import Declarations, code_version, declared, edition
from .firing import Firing
from .leadership import Leadership
from .plan import Plan
from .report import Report
from .schedules import CANARY
from .triggers import Timer

LOOK_SECONDS = 1.0
HELP_MS = 10_000
"""How long a tick has been due when a scheduler that does not lead fires it: the one that leads cannot, it seems."""
UNKNOWN = -1
LAST_CALL_SECONDS = 0.3
"""How long a call under way may take once the process was told to end."""

_logger = logging.getLogger("scheduler")


def run() -> None:
    """Fire what is scheduled, until the main thread is interrupted.

    Raises:
        WrongSettings, InvalidJob, ImportError: the settings, a declared schedule or an actor module are wrong.
        StoreTooNew: the data was written by a newer version.
    """
    broker = registry.load()
    given = settings()
    service = Service(broker, declared(broker, given), code_version(given), given.redis_url, given.timezone)
    try:
        service.run()
    finally:
        service.stop()


class Service:
    """One scheduler process.

    Args:
        broker: with all actors.
        declares: the schedules of this process's code, by name.
        code: version of that code.
        url: of the server; see `connect`.
        time_zone: of schedules that name none.
        clock: another one than the server's, for tests.
    """

    def __init__(
        self,
        broker: JobBroker,
        declares: Mapping[str, Definition],
        code: int,
        url: str,
        time_zone: str = "UTC",
        clock: Clock | None = None,
    ) -> None:
        clock = clock or Clock()
        schedules = Schedules(broker.store.client, broker.store.namespace)
        self._store = broker.store
        self._declares = declares
        self._canary = Canary(broker.store)
        self._clock = clock
        self._leadership = Leadership(schedules, clock, edition(code, declares))
        self._declarations = Declarations(schedules, declares, self._leadership.id, clock)
        self._plan = Plan(schedules)
        self._firing = Firing(broker, schedules, clock, self._reread)
        self._timer = Timer(clock, self._firing.tell)
        self._bell = SchedulesBell(url, broker.store.namespace)
        self._report = Report(
            Alerts(broker, time_zone), Overviews(broker.store.client, broker.store.namespace)
        )
        self._seen: int | None = None
        """Number of changes that the plan knows; None while another scheduler leads."""
        self._checked = self._away = False
        self._stopping, self._over = threading.Event(), threading.Event()
        self._rounds = threading.Thread(target=self._go_round, name="rounds", daemon=True)
        self._refused: StoreTooNew | None = None
        self._complained = ""
        _logger.info("Schedules of this code: %s.", ", ".join(sorted(declares)) or "none")

    def run(self) -> None:
        """Until the main thread is interrupted.

        Raises:
            StoreTooNew: the data was written by a newer version.
        """
        self._firing.start()
        self._timer.start()
        self._rounds.start()
        self._over.wait()
        if self._refused is not None:
            raise self._refused

    def _go_round(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except StoreUnavailable as error:
                if not self._away:
                    _logger.warning("Waiting: %s", error)
                    self._away = True
                self._stopping.wait(LOOK_SECONDS)
            except StoreTooNew as error:
                self._refused = error
                break
            except (
                Exception
            ) as error:  # damaged data, for example: what is in order goes on, and it may be repaired
                if self._complained != (complaint := repr(error)):
                    self._complained = complaint
                    _logger.exception(
                        "Trying again; `worker-service doctor` may know what is wrong: %s", error
                    )
                self._stopping.wait(LOOK_SECONDS)
        self._over.set()

    def stop(self) -> None:
        """Fire no more, and let another scheduler lead at once; a server that does not answer is not waited for."""
        self._stopping.set()  # no round after this one takes the lead again
        give_up_at = monotonic() + LAST_CALL_SECONDS
        self._firing.stop(LAST_CALL_SECONDS)
        if self._rounds.is_alive():
            self._rounds.join(max(0.0, give_up_at - monotonic()))
        leaving = threading.Thread(target=self._leave, daemon=True)
        leaving.start()
        leaving.join(LAST_CALL_SECONDS)

    def _round(self) -> None:
        if not self._checked:
            self._store.check_schema()
            self._checked = True
        lead = self._leadership.renew()
        if self._away:
            self._away = False
            _logger.info("Going on.")
        self._declarations.tell()
        if lead.is_new:
            self._seen = None  # others have led meanwhile
        if lead.leads:
            self._lead(lead.changes)
            self._bell.wait(LOOK_SECONDS)
        else:
            self._follow()
            self._stopping.wait(LOOK_SECONDS)

    def _lead(self, changes: int) -> None:
        if self._seen is None:
            _logger.info("This scheduler leads.")
            self._canary.expect(CANARY.actor in self._declares)
        if self._seen != changes:
            planned = self._plan.read()
            self._timer.follow(planned)
            self._firing.follow(planned)
            self._seen = changes
        self._timer.look()
        self._firing.look()
        self._declarations.retire()
        self._report.look()

    def _follow(self) -> None:
        if self._seen is not None:
            _logger.info("Another scheduler leads.")
            self._timer.follow([])
            self._seen = None
        self._firing.follow(self._plan.overdue(self._clock.now_ms() - HELP_MS), helps=True)

    def _reread(self) -> None:
        """On the thread that fires: what it knows is out of date."""
        self._seen = UNKNOWN

    def _leave(self) -> None:
        with contextlib.suppress(StoreUnavailable):
            self._leadership.leave()
