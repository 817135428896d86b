"""What a worker logs of jobs: a line when one ends, and of which job every other line is."""

import json
import logging
import sys
from collections.abc import Mapping
from math import isfinite
from time import perf_counter
from typing import Any

from ..jobs.traceparent import trace_id_of
from ..logs import configure_logs
from ..store import Outcome
from .proxy import CURRENT, JobProxy
from .submission import REQUEST_ID, TRACEPARENT

_logger = logging.getLogger("worker_service.jobs")

_ENDS = {
    "complete": (logging.INFO, "succeeded"),
    "retry": (logging.WARNING, "retrying"),
    "snooze": (logging.INFO, "snoozed"),
    "dead_letter": (logging.ERROR, "dead"),
    "cancel": (logging.INFO, "cancelled"),
    "hand_back": (logging.INFO, "handed back"),
}
"""Verb of an outcome -> how loudly it is told, and the word for it."""


def log_as_worker() -> None:
    """Set up the log of a worker process, unless somebody else does: the dramatiq command's ``--skip-logging``."""
    if not logging.getLogger().handlers:
        return
    configure_logs(job_fields, sys.stderr)
    # It logs each attempt that fails; so do we.
    logging.getLogger("dramatiq.worker.WorkerThread").setLevel(logging.CRITICAL)


def job_fields() -> Mapping[str, Any]:
    """Of which delivery the line is that this thread, or coroutine, logs."""
    job = CURRENT.get()
    return {} if job is None else _about(job)


def log_start(job: JobProxy) -> None:
    """A delivery begins."""
    job.began_at = perf_counter()
    if _logger.isEnabledFor(logging.DEBUG):
        _logger.debug("started")


def log_end(job: JobProxy, outcome: Outcome) -> None:
    """A delivery ended; called while it is still the current one."""
    level, word = _ENDS.get(outcome.verb, (logging.ERROR, outcome.verb))
    if _logger.isEnabledFor(level):
        _logger.log(level, word, extra=_of_end(job, outcome))


def log_still_running(job: JobProxy, seconds: float, left: float) -> None:
    """A job has been running for long; called on another thread than its own.

    Args:
        left: seconds until its time limit; ``inf`` without one.
    """
    told = {**_about(job), "run_ms": round(seconds * 1000)}
    if isfinite(left):
        told["limit_in_ms"] = round(left * 1000)
    _logger.warning("still running", extra=told)


def _about(job: JobProxy) -> dict[str, Any]:
    about = {
        "job_id": job.message_id,
        "actor": job.actor_name,
        "queue": job.queue_name,
        "attempt": job.claimed.attempts + 1,
        "worker": job.session,
    }
    request_id, trace = job.options.get(REQUEST_ID), trace_id_of(job.options.get(TRACEPARENT))
    if isinstance(request_id, str):
        about["request_id"] = request_id
    if trace:
        about["trace_id"] = trace
    return about


def _of_end(job: JobProxy, outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"run_ms": round((perf_counter() - job.began_at) * 1000)}
    if outcome.reason and outcome.reason != outcome.verb:
        told["reason"] = outcome.reason
    if outcome.delay_ms:
        told["again_in_ms"] = outcome.delay_ms
    if outcome.error:
        error = json.loads(outcome.error)
        told["error"] = f"{error['type']}: {error['message']}"
        if outcome.verb != "snooze":  # which the actor asked for: nothing is to be found out
            told["exception"] = error["traceback"].rstrip()
    return told
