"""What this web process itself has answered, for ``/metrics``: all that begins with ``worker_service_http_``.

Unlike the other metrics these are the process's own, and are gone with it: with several web processes, Prometheus adds
them up. A ``route`` is a rule of the routing table and not a path, so there are as many as there are routes.
"""

from http import HTTPStatus
from time import perf_counter

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest

UNKNOWN = "unknown"
"""For a path that leads nowhere, and for a method that is none of HTTP's."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
INTAKE = frozenset({"/v1/jobs", "/jobs", "/v1/jobs:batch"})
"""Routes to which jobs are posted."""
NOT_THE_SENDERS = ("queue-full", "store-full", "store-unavailable", "too-many-waiting")
"""Problems of which an alert tells: there from the beginning, because no growth is seen in what begins with 1."""
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)

disable_created_metrics()  # type: ignore[no-untyped-call]  # they are no metrics that anybody asks for


class HttpMetrics:
    """Counts the answers of one application, from its making on."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "worker_service_http_requests",
            "Requests that this process has answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "worker_service_http_request_seconds",
            "From the whole head of a request to the beginning of its answer.",
            ["method", "route"],
            buckets=BOUNDS,
            registry=self._registry,
        )
        self._rejected = Counter(
            "worker_service_http_jobs_rejected",
            "Jobs, and batches as a whole, that were asked for and refused, by the type of the problem.",
            ["problem"],
            registry=self._registry,
        )
        for problem in NOT_THE_SENDERS:
            self._rejected.labels(problem)
        self._errors = Counter(
            "worker_service_http_internal_errors",
            "Requests that ended in an error nobody expected; the log has each.",
            registry=self._registry,
        )

    def install(self, app: Flask) -> None:
        """Count from now on; called before all else that may answer, so that refusals are counted too."""
        app.before_request(_begin)
        app.after_request(self._count)

    def text(self) -> bytes:
        """In the text format."""
        return generate_latest(self._registry)

    def _count(self, response: Response) -> Response:
        method = request.method if request.method in METHODS else UNKNOWN
        route = request.url_rule.rule if request.url_rule else UNKNOWN
        self._requests.labels(method, route, response.status_code).inc()
        self._seconds.labels(method, route).observe(perf_counter() - g.began_at)
        if response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
            self._errors.inc()
        if method == "POST" and route in INTAKE and "problem" in g:
            self._rejected.labels(g.problem).inc()
        for problem in g.get("rejected_jobs", ()):
            self._rejected.labels(problem).inc()
        return response


def count_rejected(problem: str) -> None:
    """One job of a batch was refused.

    Args:
        problem: the last part of the URN of its type.
    """
    g.setdefault("rejected_jobs", []).append(problem)


def _begin() -> None:
    g.began_at = perf_counter()
