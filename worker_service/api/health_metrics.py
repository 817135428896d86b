"""Whether workers get on with their work, for ``/metrics``; see docs/deploy.md."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import Metric

from ..store.overview import Overview


def health_metrics(overview: Overview) -> Iterator[Metric]:
    """The metrics, of what was read."""
    yield Gauge(
        "worker_service_workers_stalled",
        "Worker processes with a lease that get nowhere: they do not claim, start or write what they should.",
        value=len(overview.stalled_workers),
    )
    if overview.canary_age_ms is not None:
        yield Gauge(
            "worker_service_canary_age_seconds",
            "For how long no canary came through, the job that goes the whole way each minute (JOBS_CANARY).",
            value=overview.canary_age_ms / 1000,
        )
