"""What the scheduler process runs: a timer, a thread that fires, and a main thread that waits."""

import logging
import time

from worker_service import registry
from worker_service.jobs.errors import StoreUnavailable
from worker_service.store import Store

from .firing import Firing
from .schedules import Schedule, declared
from .triggers import timer

LOOK_SECONDS = 1.0
LAST_CALL_SECONDS = 0.3
"""How long a call under way may take once the process was told to end."""

_logger = logging.getLogger("scheduler")


def run() -> None:
    """Fire the schedules of all actors, until the main thread is interrupted.

    Raises:
        WrongSettings, InvalidJob, ImportError: the settings or an actor module are wrong.
        StoreTooNew: the data was written by a newer version.
    """
    broker = registry.load()
    schedules = declared(broker)
    firing = Firing(broker, schedules)
    clock = timer(schedules, firing.tell)
    _wait_for_store(broker.store)
    _announce(schedules)
    firing.start()
    clock.start()
    try:
        while True:
            time.sleep(LOOK_SECONDS)
            clock.wakeup()  # its own wait does not notice that the machine slept or its clock was set
    finally:
        firing.stop(LAST_CALL_SECONDS)


def _announce(schedules: list[Schedule]) -> None:
    if schedules:
        names = ", ".join(f"{each.name} (every {each.every_ms / 1000:g} s)" for each in schedules)
        _logger.info("Schedules: %s.", names)
    else:
        _logger.info("No schedules: no actor is declared with every=. Waiting to be stopped.")


def _wait_for_store(store: Store) -> None:
    """Until it answers."""
    complained = False
    while True:
        try:
            return store.check_schema()
        except StoreUnavailable as error:
            if not complained:
                _logger.warning("Waiting: %s", error)
                complained = True
        time.sleep(LOOK_SECONDS)
