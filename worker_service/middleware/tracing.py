"""A span for each job that is created and one for each of its deliveries, of one trace: whoever asked for the job, the
worker that ran it, and the jobs that it sent. Needs OpenTelemetry; worker_service/tracing.py adds it where wanted.

Names and attributes are those of the semantic conventions for messaging spans
(https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/). No argument and no result is in them.
"""

import json
from contextvars import Token
from typing import Any

import dramatiq
from dramatiq.middleware import Middleware
from opentelemetry import context, trace
from opentelemetry.trace import Link, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ..broker.proxy import CURRENT, JobProxy
from ..broker.submission import TRACEPARENT

SYSTEM = "worker_service"

_propagator = TraceContextTextMapPropagator()


class Tracing(Middleware):
    """First in the list: it sees a delivery before all others.

    Args:
        tracer: makes the spans.
    """

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer
        self._open: dict[tuple[str, str], tuple[trace.Span, Token[context.Context]]] = {}
        """Delivery (jobs claimed together share a token) -> its span, and what was current before."""

    def before_enqueue(self, _broker: Any, message: "dramatiq.Message[Any]", _delay: int | None) -> None:
        """A job is created: what runs it belongs to the trace of whoever creates it."""
        current = CURRENT.get()
        if current is not None and current.message_id == message.message_id:
            return  # it is tried again
        parent = None if trace.get_current_span().get_span_context().is_valid else _told(message.options)
        with self._tracer.start_as_current_span(
            f"create {message.queue_name}",
            context=parent,
            kind=SpanKind.PRODUCER,
            attributes=_about(message, "create"),
        ):
            carrier: dict[str, str] = {}
            _propagator.inject(carrier)
        message.options[TRACEPARENT] = carrier["traceparent"]

    def before_process_message(self, _broker: Any, message: Any) -> None:
        """A delivery begins."""
        creation = _told(message.options)
        links = [Link(trace.get_current_span(creation).get_span_context())] if creation else []
        span = self._tracer.start_span(
            f"process {message.queue_name}",
            context=creation or context.Context(),
            kind=SpanKind.CONSUMER,
            links=links,
            attributes={
                **_about(message, "process"),
                "worker_service.attempt": message.claimed.attempts + 1,
                "messaging.client.id": message.session,
            },
        )
        self._open[message.claimed.id, message.claimed.token] = (
            span,
            context.attach(trace.set_span_in_context(span)),
        )

    def before_ack(self, _broker: Any, message: Any) -> None:
        """A delivery ended; only now all is known of how."""
        self._end(message)

    def before_nack(self, _broker: Any, message: Any) -> None:
        """The same of one that failed."""
        self._end(message)

    def _end(self, job: JobProxy) -> None:
        opened = self._open.pop((job.claimed.id, job.claimed.token), None)
        if opened is None:
            return
        span, before = opened
        context.detach(before)
        if span.is_recording():
            outcome = job.outcome()
            span.set_attribute("worker_service.outcome", outcome.verb)
            if outcome.error and outcome.verb != "snooze":
                _tell_error(span, json.loads(outcome.error))
        span.end()


def _tell_error(span: trace.Span, error: dict[str, str]) -> None:
    span.set_attribute("error.type", error["type"])
    span.add_event(
        "exception",
        {
            "exception.type": error["type"],
            "exception.message": error["message"],
            "exception.stacktrace": error["traceback"],
        },
    )
    span.set_status(StatusCode.ERROR, error["message"])


def _told(options: dict[str, Any]) -> context.Context | None:
    """The context that a message names, if any."""
    given = options.get(TRACEPARENT)
    if not isinstance(given, str):
        return None
    return _propagator.extract({"traceparent": given}, context.Context())


def _about(message: Any, operation: str) -> dict[str, str]:
    return {
        "messaging.system": SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": message.queue_name,
        "messaging.message.id": message.message_id,
        "worker_service.actor": message.actor_name,
    }
