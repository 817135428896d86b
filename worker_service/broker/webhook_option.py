"""The option ``webhook`` of a message becomes what the store needs to tell of the end of its job."""

import json
from typing import Any

import dramatiq

from ..jobs.errors import InvalidJob
from ..jobs.webhooks import EVENTS, read_webhook
from ..settings import MAKE_SECRET
from ..store import Hook, NewJob
from .offered import WEBHOOK_ACTOR
from .submission import REQUEST_ID, TRACEPARENT

INHERITED = (TRACEPARENT, REQUEST_ID)
"""Options of a job that its deliveries have too."""


def hook_of(broker: dramatiq.Broker, options: dict[str, Any], *, may_sign: bool) -> Hook:
    """Who is told of the ends of a job.

    Args:
        options: of its message; for ``webhook`` see `read_webhook`.
        may_sign: whether there is a secret.

    Raises:
        InvalidJob: it is wrong, or deliveries could not be signed.
    """
    webhook = read_webhook(options["webhook"])
    if not may_sign:
        raise InvalidJob(
            "Deliveries are signed, and there is no secret to do it with: set JOBS_WEBHOOK_SECRETS for all processes. "
            f"To make one: {MAKE_SECRET}",
            pointer="/webhook",
            code="no_webhook_secret",
        )
    actor = broker.actors[WEBHOOK_ACTOR]
    message = {
        "queue_name": actor.queue_name,
        "actor_name": WEBHOOK_ACTOR,
        "args": [],
        "options": {name: options[name] for name in INHERITED if name in options},
        "kwargs": {"url": webhook.url},
    }
    delivery = NewJob(
        id="",
        queue=actor.queue_name,
        actor=WEBHOOK_ACTOR,
        message=json.dumps(message, separators=(",", ":"))[:-2].encode() + b",",  # more arguments follow
        max_attempts=actor.options["max_attempts"],
    )
    return Hook(tuple(event for event in EVENTS if event in webhook.events), delivery)
