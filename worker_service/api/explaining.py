"""Why a job is not running, and when it will."""

from flask import Blueprint, Response, jsonify

from ..broker.broker import JobBroker
from ..broker.explanation import Explanation, explain
from ..jobs.errors import UnknownJob
from ..jobs.instants import to_text
from ..settings import Settings
from .answers import ExplanationJson, ReasonJson
from .documented import documented
from .jobs import found
from .queues import pause_json


def explaining(broker: JobBroker, settings: Settings) -> Blueprint:
    """The route that explains."""
    routes = Blueprint("explaining", __name__)

    @routes.get("/v1/jobs/<id>/explain")
    @documented(
        "Explain why a job is not running and when it will.", {200: ExplanationJson}, problems=(UnknownJob,)
    )
    def show(id: str) -> Response:
        return jsonify(_explanation_json(explain(broker.reads, found(broker, settings, id))))

    return routes


def _explanation_json(explanation: Explanation) -> ExplanationJson:
    reasons = [ReasonJson(code=reason.code, detail=reason.detail) for reason in explanation.reasons]
    return {
        "id": explanation.job.id,
        "state": explanation.job.state,
        "queue": explanation.job.queue,
        "code": reasons[0]["code"],
        "detail": reasons[0]["detail"],
        "reasons": reasons,
        "position": explanation.position,
        "starts_at": to_text(explanation.starts_at_ms),
        "job_id": explanation.other,
        "worker": explanation.worker,
        "paused": pause_json(explanation.pause),
    }
