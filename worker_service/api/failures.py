"""What fails, grouped: the list to begin with when jobs die."""

from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker
from ..jobs.instants import to_text
from ..store.failures import Failure, Failures
from .answers import FailureErrorJson, FailureJson, FailuresJson
from .documented import documented
from .links import link
from .representation import location


def failures(broker: JobBroker) -> Blueprint:
    """The route of failures."""
    routes = Blueprint("failures", __name__)
    groups = Failures(broker.store.client, broker.store.namespace)

    @routes.get("/v1/failures")
    @documented(
        "List dead jobs, grouped by what made them die.",
        {200: FailuresJson},
    )
    def index() -> Response:
        found = groups.read()
        items = [_failure_json(failure) for failure in found.failures]
        return jsonify(FailuresJson(items=items, truncated=found.truncated))

    return routes


def _failure_json(failure: Failure) -> FailureJson:
    error = failure.error
    return {
        "fingerprint": failure.fingerprint,
        "actor": failure.actor,
        "reason": failure.reason,
        "error": FailureErrorJson(
            type=error.get("type"), message=error.get("message"), frame=error.get("frame")
        )
        if error
        else None,
        "count": failure.count,
        "first_at": to_text(failure.first_ms),
        "last_at": to_text(failure.last_ms),
        "per_hour": failure.per_hour,
        "newest": failure.newest,
        "links": {
            "newest": location(failure.newest),
            "jobs": link(f"/v1/jobs?{urlencode({'state': 'dead', 'fingerprint': failure.fingerprint})}"),
        },
    }
