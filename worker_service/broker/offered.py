"""Which actors may be asked for. Those of the service itself run on every worker, but are its own business."""

from collections.abc import Mapping
from typing import TypeVar

A = TypeVar("A")

BULK_ACTOR = "service.bulk"
SERVICE_QUEUE = "service"
WEBHOOK_ACTOR = "service.webhook"
WEBHOOK_QUEUE = "webhooks"
INTERNAL = frozenset({BULK_ACTOR, WEBHOOK_ACTOR})


def offered(actors: Mapping[str, A]) -> dict[str, A]:
    """Those of these actors that anybody may ask for, and that people are told of."""
    return {name: actor for name, actor in actors.items() if name not in INTERNAL}
