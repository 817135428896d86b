"""What was counted over time, for charts: ``GET /v1/rates``."""

from typing import Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from ..broker.broker import JobBroker
from ..broker.offered import offered
from ..jobs.errors import InvalidQuery, UnknownActor
from ..jobs.instants import to_text
from ..names import did_you_mean
from ..store.histogram import mean_ms, quantile_ms
from ..store.rates import ALL, Point, Rates, Span
from .answers import RateJson, RatesJson
from .checked import checked_query
from .documented import documented

RANGES = {
    "10m": (Span.MINUTE, 10),
    "1h": (Span.MINUTE, 60),
    "8h": (Span.TEN, 48),
    "24h": (Span.TEN, 144),
    "72h": (Span.HOUR, 72),
}
"""Of how many spans each range consists."""

Range = Literal["10m", "1h", "8h", "24h", "72h"]


class RatesQuery(BaseModel):
    """The query of ``GET /v1/rates``."""

    model_config = ConfigDict(extra="forbid")

    range: Range = "1h"
    actor: str | None = Field(default=None, min_length=1)


def rates(broker: JobBroker) -> Blueprint:
    """The route of rates."""
    routes = Blueprint("rates", __name__)
    counted = Rates(broker.store.client, broker.store.keys)

    @routes.get("/v1/rates")
    @documented(
        "Read how many jobs were created and ended over time, and how long they waited and ran.",
        {200: RatesJson},
        query=RatesQuery,
        problems=(InvalidQuery, UnknownActor),
    )
    def show() -> Response:
        wanted = checked_query(RatesQuery, request.args)
        known = offered(broker.actors)
        if wanted.actor is not None and wanted.actor not in known:
            raise UnknownActor(f"No actor {wanted.actor!r}.{did_you_mean(wanted.actor, known)}")
        span, number = RANGES[wanted.range]
        points = counted.series(wanted.actor or ALL, span, number)
        items = [_rate_json(point) for point in points]
        return jsonify(RatesJson(actor=wanted.actor, range=wanted.range, span_ms=span.ms, items=items))

    return routes


def _rate_json(point: Point) -> RateJson:
    count = point.counts
    return {
        "at": to_text(point.at_ms),
        "enqueued": count.get("enqueued", 0),
        "started": count.get("started", 0),
        "succeeded": count.get("succeeded", 0),
        "retried": count.get("retried", 0),
        "crashed": count.get("crashed", 0),
        "dead": count.get("dead", 0),
        "cancelled": count.get("cancelled", 0),
        "expired": count.get("expired", 0),
        "mean_wait_ms": mean_ms(count, "wait"),
        "p50_wait_ms": quantile_ms(count, "wait", 0.5),
        "p95_wait_ms": quantile_ms(count, "wait", 0.95),
        "mean_run_ms": mean_ms(count, "run"),
        "p50_run_ms": quantile_ms(count, "run", 0.5),
        "p95_run_ms": quantile_ms(count, "run", 0.95),
    }
