"""APScheduler as the timer: it says when the next tick of a schedule has come, and does nothing else.

What it is not used for, and why: its job stores unpickle what they find and cannot be shared; its executors run a
function that is not told its nominal instant; its cron reads days and clock changes otherwise than cron does. So
nothing is stored in it, the ticks are ours, and the executor tells the schedule's name.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from .clock import Clock
from .plan import Planned

Tell = Callable[[str], None]


class TickTrigger(BaseTrigger):  # type: ignore[misc] # untyped
    """The instants of one schedule's ticks by the clock of this machine.

    The first is the one that is due next in the store, however late. After that the newest counts: ticks that came
    while the process was held up are not told one by one, for what is due is looked up when one is told.
    """

    def __init__(self, planned: Planned, clock: Clock) -> None:
        self._planned = planned
        self._clock = clock
        self._told: int | None = None
        self._after: datetime | None = None
        self._answer: datetime | None = None

    def get_next_fire_time(
        self,
        previous_fire_time: datetime | None,
        now: datetime,  # noqa: ARG002 - it is of this machine's clock
    ) -> datetime | None:
        """When the next one comes after the one before. APScheduler asks twice for each."""
        if self._told is None:
            self._told = self._planned.next_ms
        elif previous_fire_time == self._after:
            return self._answer
        else:
            self._told = self._planned.timing.next(max(self._told, self._clock.now_ms() - 1))
        self._after = previous_fire_time
        self._answer = None if self._told is None else self._clock.here(self._told)
        return self._answer


class TellingExecutor(BaseExecutor):  # type: ignore[misc] # untyped
    """Tells which schedule has a tick, on the timer's thread."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:  # noqa: ARG002 - the store knows them
        self._tell(job.id)
        self._run_job_success(job.id, [])


class Timer:
    """Tells the ticks of what is planned.

    Args:
        tell: called with the name of a schedule, soon after the instant of each of its ticks.
    """

    def __init__(self, clock: Clock, tell: Tell) -> None:
        self._clock = clock
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": TellingExecutor(tell)},
            # A tick is told however late it is; the defaults drop it after a second.
            job_defaults={"misfire_grace_time": None, "coalesce": True},
        )

    def start(self) -> None:
        """Begin to tell."""
        self._scheduler.start()

    def stop(self) -> None:
        """Tell nothing more."""
        self._scheduler.shutdown(wait=False)

    def follow(self, planned: list[Planned]) -> None:
        """Tell the ticks of these schedules and no others."""
        self._scheduler.remove_all_jobs()
        for each in planned:
            self._scheduler.add_job(_never_called, TickTrigger(each, self._clock), id=each.name)

    def look(self) -> None:
        """Look at the clock: the wait does not notice that the machine slept or its clock was set."""
        self._scheduler.wakeup()


def _never_called() -> None:
    """What APScheduler wants as a job's function; the executor tells instead of calling it."""
