"""Deliveries of webhooks."""

from typing_extensions import TypedDict

from ...jobs.states import State
from .common import Instant


class WebhookDeliveryLinksJson(TypedDict):
    """Addresses of a delivery, which is a job, and of the job that it tells of."""

    self: str
    job: str


class WebhookDeliveryJson(TypedDict):
    """How somebody is told of the end of a job; last_status is null when the last attempt had no answer."""

    id: str
    job: str
    url: str
    event: str
    state: State
    attempts: int
    max_attempts: int
    last_status: int | None
    last_error: str | None
    next_attempt_at: Instant | None
    created_at: Instant | None
    finished_at: Instant | None
    links: WebhookDeliveryLinksJson


class WebhookDeliveryPageJson(TypedDict):
    """A page of deliveries, the newest first."""

    items: list[WebhookDeliveryJson]
    next_cursor: str | None
