"""What needs somebody now: the alerts of deploy/prometheus/alerts.yml that can be seen at once, under the same names.

So whoever has no Prometheus is told as well, by ``GET /v1/alerts``, the command line, the dashboard and the scheduler's
log, and finds what to do in the same place: docs/deploy.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..store import Rates
from ..store.overview import Overview
from ..store.vitals import disk_failures
from .broker import JobBroker
from .offered import offered
from .schedules import Entry, Timetable

Severity = Literal["critical", "warning"]

OLDEST_MS = 600_000
CANARY_MS = 300_000
LAG_MS = 30_000
LEAST_STARTED = 20
MOST_FAILING = 0.5
MOST_MEMORY = 0.7
"""The bounds of the rules."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is wrong.

    Attributes:
        name: of the rule.
        of: the queue, schedule, actor or worker process that it is about; empty when it is the service.
        text: what is wrong, for people.
    """

    name: str
    severity: Severity
    of: str
    text: str


class Alerts:
    """Looks at one namespace.

    Args:
        broker: whose actors and server it is about.
        time_zone: see `Timetable`.
    """

    def __init__(self, broker: JobBroker, time_zone: str) -> None:
        self._broker = broker
        self._rates = Rates(broker.store.client, broker.store.keys)
        self._timetable = Timetable(broker, time_zone)

    def now(self, overview: Overview) -> list[Alert]:
        """What is wrong now, the worst first.

        Args:
            overview: read now.

        Raises:
            StoreUnavailable: Redis is away.
        """
        found = [
            *_of_workers(overview),
            *self._of_schedules(),
            *_of_actors(self._rates.lately(sorted(offered(self._broker.actors)))),
            *_of_server(self._broker.vitals.read()),
        ]
        return sorted(found, key=lambda alert: alert.severity)

    def _of_schedules(self) -> Iterator[Alert]:
        schedules = self._timetable.schedules
        found = self._timetable.all()
        if not schedules.live_schedulers():
            text = "No scheduler process lives: nothing periodic starts. Start one: python -m scheduler"
            yield Alert("NoScheduler", "critical", "", text)
        elif schedules.leader() is None:
            yield Alert("NoLeadingScheduler", "critical", "", "No scheduler leads, so none fires.")
        now_ms = schedules.now_ms()
        for each in found:
            if not isinstance(each, Entry):
                text = f"The schedule {each.name} cannot be read and is not fired."
                yield Alert("ScheduleDamaged", "critical", each.name, text)
            elif (lag := each.lag_ms(now_ms)) > LAG_MS:
                text = f"The schedule {each.name} is overdue for {_seconds(lag)}."
                yield Alert("ScheduleOverdue", "critical", each.name, text)


def _of_workers(overview: Overview) -> Iterator[Alert]:
    if not overview.open_workers:
        text = f"No worker process lives; {_jobs(overview.queued)}. Start one: worker-service worker"
        yield Alert("NoWorker", "critical", "", text)
    if (overview.canary_age_ms or 0) > CANARY_MS:
        text = f"No canary came through for {_seconds(overview.canary_age_ms or 0)}: one is sent each minute."
        yield Alert("CanaryOld", "critical", "", text)
    for worker in overview.stalled_workers:
        since = overview.at_ms - (worker.stalled_at_ms or overview.at_ms)
        why = f"no {worker.stalled_in} for {_seconds(since)}"
        text = f"The worker process {worker.pid} of {worker.host} gets nowhere: {why}."
        yield Alert("WorkerStalled", "critical", worker.id, text)
    for queue in overview.queues:
        if (queue.oldest_ms or 0) > OLDEST_MS:
            why = f" The queue is paused: {queue.pause.reason}" if queue.pause else ""
            text = f"In the queue {queue.name} {_jobs(queue.queued)}, one for {_seconds(queue.oldest_ms or 0)}.{why}"
            yield Alert("QueueNotDraining", "warning", queue.name, text)


def _of_actors(lately: Mapping[str, Mapping[str, int]]) -> Iterator[Alert]:
    for actor, count in lately.items():
        started, dead = count.get("started", 0), count.get("dead", 0)
        failed = dead + count.get("retried", 0) + count.get("crashed", 0)
        if dead:
            what = f"{dead:,} jobs of {actor} were" if dead > 1 else f"A job of {actor} was"
            text = f"{what} given up in the last minutes."
            yield Alert("JobsDead", "warning", actor, text)
        if started > LEAST_STARTED and failed > MOST_FAILING * started:
            text = f"{failed} of {started} attempts of {actor} failed in the last minutes."
            yield Alert("JobsFail", "warning", actor, text)


def _of_server(info: Mapping[str, Any]) -> Iterator[Alert]:
    used, most = info.get("used_memory", 0), info.get("maxmemory", 0)
    if most and used > MOST_MEMORY * most:
        text = f"Redis uses {used * 100 // most} % of its memory; from 80 % on no jobs are accepted."
        yield Alert("RedisMemory", "warning", "", text)
    # What was dropped before somebody forbade it is past.
    if info.get("evicted_keys", 0) and info.get("maxmemory_policy") != "noeviction":
        text = f"Redis drops keys, {info['evicted_keys']} since it started: jobs perhaps among them."
        yield Alert("RedisEvicts", "critical", "", text)
    if disk_failures(info):
        yield Alert("RedisDisk", "critical", "", "Redis cannot write to its disk.")


def _jobs(waiting: int) -> str:
    if not waiting:
        return "nothing waits"
    return f"{waiting:,} jobs wait" if waiting > 1 else "a job waits"


def _seconds(ms: int) -> str:
    seconds = ms // 1000
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
