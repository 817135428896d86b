"""What fails, grouped: the list to begin with when jobs die."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from ..broker.broker import JobBroker
from ..jobs.instants import to_text
from ..store.failures import Failure, Failures
from .checked import checked_query
from .lists import FailuresQuery
from .representation import location


def failures(broker: JobBroker) -> Blueprint:
    """The route of failures."""
    routes = Blueprint("failures", __name__)
    groups = Failures(broker.store.client, broker.store.namespace)

    @routes.get("/v1/failures")
    def index() -> Response:
        checked_query(FailuresQuery, request.args)
        found = groups.read()
        items = [_failure_json(failure) for failure in found.failures]
        return jsonify({"items": items, "truncated": found.truncated})

    return routes


def _failure_json(failure: Failure) -> dict[str, Any]:
    error = failure.error
    return {
        "fingerprint": failure.fingerprint,
        "actor": failure.actor,
        "reason": failure.reason,
        "error": error and {name: error.get(name) for name in ("type", "message", "frame")},
        "count": failure.count,
        "first_at": to_text(failure.first_ms),
        "last_at": to_text(failure.last_ms),
        "newest": failure.newest,
        "links": {
            "newest": location(failure.newest),
            "jobs": f"/v1/jobs?{urlencode({'state': 'dead', 'fingerprint': failure.fingerprint})}",
        },
    }
