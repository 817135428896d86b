"""How the server does, for ``/metrics``: what endangers jobs; all the rest is told by exporters made for that.

A managed server may refuse to tell some of it; that is left out then.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily as Counter
from prometheus_client.core import GaugeMetricFamily as Gauge
from prometheus_client.core import Metric

from ..store.vitals import disk_failures


def redis_metrics(info: Mapping[str, Any]) -> Iterator[Metric]:
    """The metrics.

    Args:
        info: fields of INFO.
    """
    if "used_memory" in info:
        yield Gauge("worker_service_redis_memory_bytes", "Memory that Redis uses.", value=info["used_memory"])
    if "maxmemory" in info:
        yield Gauge(
            "worker_service_redis_memory_limit_bytes",
            "Most memory that it may use (maxmemory); 0 without a limit.",
            value=info["maxmemory"],
        )
    if "evicted_keys" in info:
        yield Counter(
            "worker_service_redis_evicted_keys",
            "Keys that it dropped because its memory was full: jobs, among others.",
            value=info["evicted_keys"],
        )
    if "aof_enabled" in info:
        yield Gauge(
            "worker_service_redis_append_only",
            "Whether it keeps an append-only file.",
            value=info["aof_enabled"],
        )
    if "aof_last_write_status" in info:
        yield Gauge(
            "worker_service_redis_persistence_ok",
            "Whether it could write to its disk the last time.",
            value=int(not disk_failures(info)),
        )
