"""Webhooks: whoever asked for it is told of the end of a job.

The delivery is a job of the service itself. It is created by the script that ends the job (lua/lib/final.lua), so there
is none without the other. Its first run writes down what it is about to send; every later one sends the same text, even
if the job runs again or is gone by then.
"""

import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import dramatiq

from ..jobs.errors import PermanentError
from ..jobs.instants import to_text
from ..jobs.masking import is_sensitive, masked, scrubbed, secrets_of
from ..jobs.retry_after import respect_retry_after
from ..jobs.signature import arguments_by_name
from ..jobs.states import State
from ..jobs.webhooks import signature_headers
from ..outbound import checked_client
from ..settings import Settings
from ..store import Job
from .broker import JobBroker
from .interrupts import LeaseLost
from .offered import WEBHOOK_ACTOR, WEBHOOK_QUEUE
from .proxy import CURRENT
from .submission import TRACEPARENT

WAITS = [
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=6),
    timedelta(hours=10),
]
"""Between the attempts of a delivery: a day in all."""

WHOLE_SECONDS = 30.0
"""How long one attempt may take."""
SILENCE_SECONDS = 15.0

BODY_LIMIT = 64 * 1024
"""Bytes of one delivery; what makes a larger one too large is left out, and named."""

_MAY_BE_LEFT_OUT = ("result", "args", "metadata", "error")
_STATUS = re.compile(r"\banswered (\d{3})\b")


class DeliveryFailed(Exception):
    """Raised when a receiver did not take a delivery; it is tried again."""


def declare(broker: JobBroker, settings: Settings) -> None:
    """Declare the actor that delivers; every process that runs or submits jobs does."""

    def deliver(url: str, event: str, ended_at: int) -> dict[str, int]:
        delivery = CURRENT.get()
        assert delivery is not None
        id, token = delivery.claimed.id, delivery.claimed.token
        _, written = broker.reads.checkpoint(id)
        if written is None:
            own = broker.reads.job(id)
            assert own is not None
            exchange = _exchange(broker, own.parent or "", event, ended_at)
            written = json.dumps(exchange, separators=(",", ":"))
            if not broker.store.progress(id, token, "null", written):
                raise LeaseLost(f"job {id} was taken back")
        body, trace = json.loads(written)["body"], delivery.options.get(TRACEPARENT)
        return {"status": _send(url, id, body, trace, settings)}

    declare_actor: Any = dramatiq.actor(
        broker=broker,
        actor_name=WEBHOOK_ACTOR,
        queue_name=WEBHOOK_QUEUE,
        max_attempts=len(WAITS) + 1,
        backoff=WAITS,
    )
    declare_actor(deliver)


def last_status(error: Any, result: Any) -> int | None:
    """What the receiver answered to the last attempt; None when it did not.

    Args:
        error, result: of the delivery.
    """
    if isinstance(result, dict) and isinstance(result.get("status"), int):
        return int(result["status"])
    found = _STATUS.search(str(error.get("message"))) if isinstance(error, dict) else None
    return int(found[1]) if found else None


def _exchange(broker: JobBroker, id: str, event: str, ended_at: int) -> dict[str, str]:
    """What is sent in every attempt."""
    job = broker.reads.job(id)
    at = to_text(ended_at)
    data: dict[str, Any] = {"id": id, "state": event, "finished_at": at}
    if job is not None and job.state == event and job.finished_at_ms == ended_at:
        actor = broker.actors.get(job.actor)
        data = {**job_data(job, actor.fn if actor else None), **data}
    elif job is not None:  # it runs again
        data = {"id": id, "actor": job.actor, "queue": job.queue, **data}
    return {"body": _bounded({"type": f"job.{event}", "timestamp": at, "data": data})}


def job_data(job: Job, fn: Callable[..., Any] | None) -> dict[str, Any]:
    """What a delivery tells of a job."""
    named = arguments_by_name(fn, tuple(job.message.get("args", ())), job.message.get("kwargs", {}))
    hidden = secrets_of(fn, named) if is_sensitive(fn) else ()
    error = scrubbed(job.error, hidden) if isinstance(job.error, dict) else None
    options = job.message.get("options", {})
    return {
        "id": job.id,
        "actor": job.actor,
        "queue": job.queue,
        "state": job.state,
        "reason": job.reason,
        "args": masked(fn, named),
        "tags": options.get("tags") or [],
        "metadata": options.get("metadata") or {},
        "attempt": job.attempts + (job.state is State.SUCCEEDED),
        "max_attempts": job.max_attempts,
        "created_at": to_text(job.created_at_ms),
        "started_at": to_text(job.started_at_ms),
        "finished_at": to_text(job.finished_at_ms),
        "result": scrubbed(job.result, hidden),
        "error": {name: error.get(name) for name in ("type", "message")} if error else None,
        "schedule": job.schedule,
        "replayed_from": job.replayed_from,
    }


def _bounded(event: dict[str, Any]) -> str:
    """The event as JSON."""
    data = dict(event["data"])
    omitted = []
    text = json.dumps(event, separators=(",", ":"))
    for name in _MAY_BE_LEFT_OUT:
        if len(text) > BODY_LIMIT and data.pop(name, None) is not None:
            omitted.append(name)
            text = json.dumps({**event, "data": {**data, "omitted": omitted}}, separators=(",", ":"))
    return text


def _send(url: str, id: str, text: str, trace: str | None, settings: Settings) -> int:
    """POST once; the status with which the receiver took it.

    Its answer is not read: it is of no use, and may be of any size.

    Args:
        trace: that of the job, if it has one.

    Raises:
        RetryLater: it says when to come again.
        DeliveryFailed: it did not take it.
        PermanentError: it wants no more (410), or is at an address that jobs may not reach.
    """
    import httpx2

    keys = settings.webhook_keys
    if not keys:
        raise DeliveryFailed("This worker has no secret to sign with: set JOBS_WEBHOOK_SECRETS.")
    where = urlsplit(url).hostname
    body = text.encode()
    headers = {"Content-Type": "application/json", "User-Agent": "worker-service"}
    headers |= signature_headers(id, time.time(), body, keys)
    if trace:
        headers["traceparent"] = trace
    client = checked_client(
        settings.outbound_allow, seconds=WHOLE_SECONDS, silence=SILENCE_SECONDS, follow_redirects=False
    )
    try:
        with client, client.stream("POST", url, content=body, headers=headers) as response:
            status = response.status_code
            respect_retry_after(response)
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
        raise PermanentError(f"{where} cannot be asked: {error}") from error
    except httpx2.HTTPError as error:
        raise DeliveryFailed(f"{where} did not answer: {type(error).__name__}: {error}") from error
    if status == 410:
        raise PermanentError(f"{where} answered 410: it wants no more of it")
    if not 200 <= status < 300:
        raise DeliveryFailed(f"{where} answered {status}")
    return int(status)
