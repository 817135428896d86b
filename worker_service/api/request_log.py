"""What a web process logs of requests, and of which request every other line is.

What changes something is told at INFO, what only reads at DEBUG: probes, scrapes and pages that look again every few
seconds would hide the rest. Paths are told as routes, so that nothing that a path or a query names is in the log.
"""

import logging
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from flask import Flask, Response, g, has_request_context, request

from ..jobs.traceparent import read_traceparent, trace_id_of
from .http_metrics import UNKNOWN
from .principal import current_principal
from .problems import request_id

_logger = logging.getLogger("worker_service.requests")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Flask) -> None:
    """Log the end of each request; called after http_metrics, which notes its beginning."""
    app.after_request(_log)


def request_fields() -> Mapping[str, Any]:
    """Of which request the line is that this thread logs."""
    if not has_request_context():
        return {}
    fields = {"request_id": request_id()}
    trace = trace_id_of(read_traceparent(request.headers.get("traceparent")))
    return {**fields, "trace_id": trace} if trace else fields


def _log(response: Response) -> Response:
    level = logging.DEBUG if request.method in _READS else logging.INFO
    if response.status_code >= 500:
        level = logging.WARNING
    if _logger.isEnabledFor(level):
        route = request.url_rule.rule if request.url_rule else UNKNOWN
        _logger.log(level, "%s %s", request.method, route, extra=_about(response))
    return response


def _about(response: Response) -> dict[str, Any]:
    told: dict[str, Any] = {
        "status": response.status_code,
        "ms": round((perf_counter() - g.began_at) * 1000),
        "address": request.remote_addr,
    }
    if "principal" in g:
        told["key"] = current_principal().id
    if "problem" in g:
        told["problem"] = g.problem
    if response.status_code in (200, 202) and "Location" in response.headers:
        told["job_id"] = response.headers["Location"].rpartition("/")[2]
    return told
