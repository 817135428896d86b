"""What schedules and schedulers do, for ``/metrics``.

The label ``schedule`` is one of the first `MOST_SCHEDULES` by name.
"""

from collections import Counter as Tally
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily as Counter
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import Metric

from ..broker.schedules import Entry, Standing, Timetable

MOST_SCHEDULES = 500


def schedule_metrics(timetable: Timetable) -> Iterator[Metric]:
    """The metrics, read now.

    Raises:
        StoreUnavailable: Redis is away.
    """
    found, schedulers = timetable.all(), timetable.schedules
    tally = Tally(each.state if isinstance(each, Entry) else Standing.DAMAGED for each in found)
    states = Gauge("worker_service_schedules", "Schedules there are.", labels=["state"])
    for state in Standing:
        states.add_metric([state], tally[state])
    yield states
    yield Gauge(
        "worker_service_schedulers",
        "Scheduler processes with a lease.",
        value=len(schedulers.live_schedulers()),
    )
    yield Gauge(
        "worker_service_scheduler_leads",
        "Whether one of the schedulers leads: it is the one that fires.",
        value=int(schedulers.leader() is not None),
    )
    readable = [each for each in found if isinstance(each, Entry)]
    yield from _of_each(readable[:MOST_SCHEDULES], schedulers.now_ms())


def _of_each(entries: list[Entry], now_ms: int) -> Iterator[Metric]:
    last = Gauge(
        "worker_service_schedule_last_tick_timestamp_seconds",
        "The newest tick that was fired, skipped or missed.",
        labels=["schedule"],
    )
    lag = Gauge(
        "worker_service_schedule_lag_seconds",
        "For how long the next tick has been due without being fired.",
        labels=["schedule"],
    )
    runs = Counter("worker_service_schedule_runs", "Ticks that made a job.", labels=["schedule"])
    skipped = Counter(
        "worker_service_schedule_skipped",
        "Ticks that made none, because the job of an earlier one had not ended.",
        labels=["schedule"],
    )
    missed = Counter(
        "worker_service_schedule_missed",
        "Ticks that were given up, because nobody could fire them in time.",
        labels=["schedule"],
    )
    for each in entries:
        stored, name = each.stored, [each.name]
        if stored.last_ms is not None:
            last.add_metric(name, stored.last_ms / 1000)
        lag.add_metric(name, each.lag_ms(now_ms) / 1000)
        runs.add_metric(name, stored.runs)
        skipped.add_metric(name, stored.skipped)
        missed.add_metric(name, stored.missed)
    yield from (last, lag, runs, skipped, missed)
