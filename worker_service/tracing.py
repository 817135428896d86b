"""Traces over OpenTelemetry, where its own variables ask for them: see docs/tracing.md. Needs the extra.

Switched on by ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` or ``OTEL_TRACES_EXPORTER=otlp``.
All the SDK's other variables hold. Where it is off, nothing of it is imported.
"""

import logging
import os
from functools import cache
from importlib.metadata import version
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any

from dramatiq.middleware import Middleware

if TYPE_CHECKING:
    from flask import Flask
    from opentelemetry.sdk.trace import TracerProvider

UNTRACED = "livez,readyz,metrics,static,v1/events"
"""Routes without spans: what looks again and again, and what goes on for hours."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_logger = logging.getLogger(__name__)


def is_wanted() -> bool:
    """Whether the variables ask for traces."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "")
    return exporter == "otlp" or (exporter != "none" and any(os.environ.get(name) for name in _ENDPOINTS))


def tracing_middleware() -> list[Middleware]:
    """What a broker gets to trace its jobs; nothing where nobody asks for traces."""
    provider = _provider()
    if provider is None:
        return []
    from .middleware.tracing import Tracing

    return [Tracing(provider.get_tracer("worker_service", version("worker-service")))]


def trace_web(app: "Flask") -> None:
    """Make a span for each request of an application; called before anything else looks at requests."""
    provider = _provider()
    if provider is None:
        return
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    FlaskInstrumentor().instrument_app(  # type: ignore[no-untyped-call]
        app, tracer_provider=provider, excluded_urls=UNTRACED, response_hook=_without_query
    )


@cache
def _provider() -> "TracerProvider | None":
    """Makes the spans of this process, and sends them; made when first asked for, which is after a fork."""
    if not is_wanted():
        return None
    try:
        from .telemetry import make_provider
    except ImportError as error:
        _logger.warning(
            "No traces, though OTEL_* asks for them: pip install 'worker-service[opentelemetry]' (%s)", error
        )
        return None
    provider = make_provider()
    # Not atexit alone: Dramatiq's worker processes and web's are multiprocessing children, which do not run it.
    Finalize(None, provider.shutdown, exitpriority=5)
    return provider


def _without_query(span: Any, _status: str, _headers: Any) -> None:
    """What stands behind the "?" may be a code to sign in with, or an argument that somebody looks for.

    Only here, at the end, the instrumentation adds nothing any more.
    """
    if span is not None and span.is_recording():
        for name in ("http.target", "http.url", "url.full"):
            if name in span.attributes:
                span.set_attribute(name, span.attributes[name].partition("?")[0])
        if "url.query" in span.attributes:
            span.set_attribute("url.query", "")
