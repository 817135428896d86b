"""APScheduler as the clock: it tells each tick when it has come, and does nothing else.

What it is not used for, and why: its job stores unpickle what they find and cannot be shared; its executors run a
function that is not told its nominal instant. So nothing is stored in it, and the executor hands the instant on.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from worker_service.jobs.intervals import tick_before

from .schedules import Schedule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

Tell = Callable[[str, int], None]


def instant(tick_ms: int) -> datetime:
    """UTC ms as APScheduler has it."""
    return _EPOCH + tick_ms * _MILLISECOND


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


class EveryTrigger(BaseTrigger):  # type: ignore[misc] # untyped
    """The ticks of an interval, aligned to the epoch.

    The first is the newest that has come, so that a schedule is looked at as soon as its scheduler starts. After
    a pause of the process it goes on with the newest too: the ticks between are not listed one by one, however
    many they are. Which of them are fired is the backlog's business.
    """

    def __init__(self, every_ms: int) -> None:
        self._every_ms = every_ms

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The tick to tell after the one told before."""
        newest = tick_before(_milliseconds(now), self._every_ms)
        if previous_fire_time is None:
            return instant(newest)
        return instant(max(_milliseconds(previous_fire_time) + self._every_ms, newest))


class TellingExecutor(BaseExecutor):  # type: ignore[misc] # untyped
    """Tells the newest of the instants that have come, on the timer's thread."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        self._tell(job.id, _milliseconds(run_times[-1]))
        self._run_job_success(job.id, [])


def timer(schedules: Iterable[Schedule], tell: Tell) -> BackgroundScheduler:
    """A timer for these schedules, not yet started.

    Args:
        tell: called with a schedule's name and the tick in UTC ms, soon after its instant.
    """
    made = BackgroundScheduler(
        timezone=UTC,
        executors={"default": TellingExecutor(tell)},
        # A tick is told however late it is, each by itself; the defaults drop it after a second.
        job_defaults={"misfire_grace_time": None, "coalesce": False},
    )
    for schedule in schedules:
        made.add_job(_never_called, EveryTrigger(schedule.every_ms), id=schedule.name)
    return made


def _never_called() -> None:
    """What APScheduler wants as a job's function; the executor tells instead of calling it."""
