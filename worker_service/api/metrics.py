"""``/metrics`` in the text format of Prometheus.

What begins with ``worker_service_http_`` is of this web process (http_metrics). Everything else is read from the store
when it is asked for, so each web process gives the same numbers, and none is lost with a process. While Redis is away
there is only ``worker_service_up 0`` of that, with status 200: an alert then tells a store that is away from a web
process that is (``up 0``, which Prometheus makes itself).

Labels are bounded. ``actor`` is one that this web process knows: one that only some ``dramatiq my.tasks`` knows
has counters in the store, but no name here. ``queue`` is one of the first `MOST_QUEUES` by name, ``schedule`` likewise
(schedule_metrics).
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import CounterMetricFamily as Counter
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import HistogramMetricFamily as Histogram
from prometheus_client.core import Metric

from ..broker.broker import JobBroker
from ..broker.schedules import Timetable
from ..jobs.errors import StoreUnavailable
from ..settings import Settings
from ..store import check_server
from ..store.histogram import BOUNDS_MS, in_bounds
from ..store.overview import FINAL_STATES, MOST_QUEUES, Overview, Overviews
from .documented import documented
from .health_metrics import health_metrics
from .http_metrics import HttpMetrics
from .redis_metrics import redis_metrics
from .schedule_metrics import schedule_metrics

NOT_FINAL = ("retried", "snoozed", "crashed", "handed_back")
"""How a delivery ends after which the job may run again; counters of lua/lib/count.lua."""


def metrics(broker: JobBroker, settings: Settings, http: HttpMetrics) -> Blueprint:
    """The route of metrics."""
    routes = Blueprint("metrics", __name__)
    readings = Overviews(broker.store.client, broker.store.namespace)
    timetable = Timetable(broker, settings.timezone)

    @routes.get("/metrics")
    @documented("Read metrics, for Prometheus.", {200: CONTENT_TYPE_PLAIN_0_0_4})
    def show() -> Response:
        try:
            # First, and soon: Prometheus waits for ten seconds in all, and what it gives up on tells it nothing.
            check_server(settings.redis_url)
            overview = readings.read()
            found = [
                _up(True),
                *_of_store(overview),
                *health_metrics(overview),
                *_of_threads(readings),
                *redis_metrics(broker.vitals.read()),
                _of_longest(overview, broker.actors),
                *_of_actors(readings.totals(sorted(broker.actors))),
                *schedule_metrics(timetable),
            ]
        except StoreUnavailable:
            found = [_up(False)]
        text = generate_latest(_Scrape(found)) + http.text()
        return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)

    return routes


class _Scrape:
    """Metrics of one answer in the form that prometheus_client asks for."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def _up(answers: bool) -> Gauge:
    return Gauge("worker_service_up", "Whether the job store answers; 0 comes alone.", value=int(answers))


def _of_store(overview: Overview) -> Iterator[Metric]:
    depth = Gauge(
        "worker_service_queue_jobs",
        "Jobs that have not ended: queued may be claimed, delayed are scheduled or retrying, running are held.",
        labels=["queue", "state"],
    )
    oldest = Gauge(
        "worker_service_queue_oldest_seconds",
        "How long the oldest job that may be claimed, or is due, has been waiting; 0 without one.",
        labels=["queue"],
    )
    wanted = Gauge(
        "worker_service_queue_wanted_threads",
        "With so many nothing would wait in the queue: its jobs that run or, while it is not paused, could.",
        labels=["queue"],
    )
    for queue in overview.queues:
        depth.add_metric([queue.name, "queued"], queue.queued)
        depth.add_metric([queue.name, "delayed"], queue.delayed)
        depth.add_metric([queue.name, "running"], queue.running)
        wanted.add_metric([queue.name], queue.wanted_threads)
        oldest.add_metric([queue.name], (queue.oldest_ms or 0) / 1000)
    kept = Gauge(
        "worker_service_jobs_kept",
        "Finished jobs that are kept, until retention removes them.",
        labels=["state"],
    )
    for state, number in overview.kept.items():
        kept.add_metric([state.value], number)
    yield from (depth, oldest, wanted, kept)
    yield Gauge(
        "worker_service_queues",
        f"Queues there are; the first {MOST_QUEUES} by name are shown.",
        value=len(overview.queues) + overview.more_queues,
    )
    yield Gauge("worker_service_jobs_running", "Jobs that worker processes hold.", value=overview.running)
    yield Gauge("worker_service_workers", "Worker processes with a lease.", value=overview.open_workers)
    yield Gauge(
        "worker_service_wanted_threads",
        "With so many nothing would wait: jobs that run or could, but for those of paused queues.",
        value=overview.wanted_threads,
    )


def _of_threads(readings: Overviews) -> Iterator[Metric]:
    yield Gauge(
        "worker_service_threads",
        "Threads of worker processes that take jobs; busy are worker_service_jobs_running.",
        value=readings.threads(),
    )


def _of_longest(overview: Overview, actors: Iterable[str]) -> Gauge:
    longest = Gauge(
        "worker_service_job_running_longest_seconds",
        "For how long the job has been held that workers hold for the longest time; 0 without one.",
        labels=["actor"],
    )
    for actor in sorted(actors):
        longest.add_metric([actor], overview.longest_ms.get(actor, 0) / 1000)
    return longest


def _of_actors(totals: Mapping[str, Mapping[str, int]]) -> Iterator[Metric]:
    enqueued = Counter("worker_service_jobs_enqueued", "Jobs created.", labels=["actor"])
    started = Counter("worker_service_jobs_started", "Deliveries of jobs to a worker.", labels=["actor"])
    finished = Counter(
        "worker_service_jobs_finished", "Jobs that reached a final state.", labels=["actor", "outcome"]
    )
    returned = Counter(
        "worker_service_jobs_returned",
        "Deliveries that ended otherwise; a crashed one may also have made its job dead.",
        labels=["actor", "outcome"],
    )
    duplicates = Counter(
        "worker_service_jobs_duplicates",
        "Jobs that were not created, or were replaced, because another one does their work.",
        labels=["actor"],
    )
    replayed = Counter(
        "worker_service_jobs_replayed", "Dead or cancelled jobs that were put back.", labels=["actor"]
    )
    wait = Histogram(
        "worker_service_job_wait_seconds",
        "From created, or due, to claimed, of each delivery.",
        labels=["actor"],
    )
    run = Histogram("worker_service_job_run_seconds", "From claimed to succeeded.", labels=["actor"])
    for actor, count in totals.items():
        enqueued.add_metric([actor], count.get("enqueued", 0))
        started.add_metric([actor], count.get("started", 0))
        duplicates.add_metric([actor], count.get("duplicates", 0))
        replayed.add_metric([actor], count.get("replayed", 0))
        for outcome in FINAL_STATES:
            finished.add_metric([actor, outcome.value], count.get(outcome.value, 0))
        for word in NOT_FINAL:
            returned.add_metric([actor, word], count.get(word, 0))
        wait.add_metric([actor], _buckets(count, "wait"), count.get("wait_ms", 0) / 1000)
        run.add_metric([actor], _buckets(count, "run"), count.get("run_ms", 0) / 1000)
    yield from (enqueued, started, finished, returned, duplicates, replayed, wait, run)


def _buckets(count: Mapping[str, int], name: str) -> list[tuple[str, float]]:
    """The store counts each duration once, under the smallest bound that holds it; Prometheus in all above too."""
    within = list(accumulate(in_bounds(count, name)))
    bounds = [*(str(bound / 1000) for bound in BOUNDS_MS), "+Inf"]
    return list(zip(bounds, within, strict=True))
