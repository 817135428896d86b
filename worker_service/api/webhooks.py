"""Who was told of the end of which job, and what came of it."""

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field

from ..broker.broker import JobBroker
from ..broker.webhooks import last_status
from ..jobs.errors import InvalidQuery
from ..jobs.instants import to_text
from ..jobs.states import State
from ..store.webhook_deliveries import WebhookDeliveries, WebhookDelivery
from .answers import WebhookDeliveryJson, WebhookDeliveryPageJson
from .checked import Digits, checked_query
from .documented import documented
from .lists import MOST, Cursor, paged
from .representation import location


class DeliveriesQuery(BaseModel):
    """The query of ``GET /v1/webhooks/deliveries``."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    job: str | None = Field(default=None, min_length=1, description="Whose end they tell of.")
    state: State | None = Field(default=None, description="Of the delivery itself.")
    limit: Digits = Field(default=50, ge=1, le=MOST)
    cursor: Cursor | None = None


def webhooks(broker: JobBroker) -> Blueprint:
    """The route of deliveries."""
    routes = Blueprint("webhooks", __name__)
    deliveries = WebhookDeliveries(broker.store.client, broker.store.namespace)

    @routes.get("/v1/webhooks/deliveries")
    @documented(
        "List deliveries of webhooks, the newest first; each is a job, and is put back as one.",
        {200: WebhookDeliveryPageJson},
        query=DeliveriesQuery,
        sends=("Link",),
        problems=(InvalidQuery,),
    )
    def index() -> Response:
        query = checked_query(DeliveriesQuery, request.args)
        page, rest = deliveries.page(query.limit, job=query.job, state=query.state, after=query.cursor)
        cursor = rest.to_text() if rest else None
        items = [_delivery_json(delivery) for delivery in page]
        return paged(WebhookDeliveryPageJson(items=items, next_cursor=cursor), "/v1/webhooks/deliveries")

    return routes


def _delivery_json(delivery: WebhookDelivery) -> WebhookDeliveryJson:
    error = delivery.error if isinstance(delivery.error, dict) else {}
    return {
        "id": delivery.id,
        "job": delivery.job,
        "url": delivery.url,
        "event": delivery.event,
        "state": delivery.state,
        "attempts": delivery.attempts + (delivery.state is State.SUCCEEDED),
        "max_attempts": delivery.max_attempts,
        "last_status": last_status(delivery.error, delivery.result),
        "last_error": str(error["message"]) if "message" in error else None,
        "next_attempt_at": to_text(delivery.due_at_ms),
        "created_at": to_text(delivery.created_at_ms),
        "finished_at": to_text(delivery.finished_at_ms),
        "links": {"self": location(delivery.id), "job": location(delivery.job)},
    }
