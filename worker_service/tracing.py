"""Traces over OpenTelemetry, where its own variables ask for them: see docs/tracing.md. Needs the extra.

Switched on by ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`` or ``OTEL_TRACES_EXPORTER=otlp``.
All the SDK's other variables hold. Where it is off, nothing of it is imported.
"""

import logging
import os
import threading
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any

from dramatiq.middleware import Middleware

if TYPE_CHECKING:
    from flask import Flask
    from opentelemetry.sdk.trace import TracerProvider

UNTRACED = (
    r"^[^/?]+//[^/?]+(/(?!v1/)[^/?]+)*"  # the host, and a prefix that a proxy adds
    r"/(livez|readyz|metrics|static/[^?]*|v1/events|v1/jobs/[^/?]+/events)(\?|$)"
)
"""Addresses without spans: what looks again and again, and what goes on for long."""

FLUSH_SECONDS = 2.0

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")

_logger = logging.getLogger(__name__)


def is_wanted() -> bool:
    """Whether the variables ask for traces."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    chosen = _exporters()
    return "otlp" in chosen or (not chosen and any(os.environ.get(name) for name in _ENDPOINTS))


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

    from .telemetry import note_trace, without_query

    FlaskInstrumentor().instrument_app(  # type: ignore[no-untyped-call]
        app,
        tracer_provider=provider,
        excluded_urls=UNTRACED,
        enable_commenter=False,
        request_hook=note_trace,
    )
    # Called before that of the instrumentation, which came first and ends the span.
    app.teardown_request(without_query)


def _exporters() -> set[str]:
    return {name.strip() for name in os.environ.get("OTEL_TRACES_EXPORTER", "").split(",")} - {""}


@cache
def _provider() -> "TracerProvider | None":
    """Makes the spans of this process, and sends them; made when first asked for, which is after a fork."""
    unknown = _exporters() - {"otlp", "none"}
    if unknown:
        _logger.warning(
            "OTEL_TRACES_EXPORTER names %s: traces can be sent by otlp only", *sorted(unknown)[:1]
        )
    if not is_wanted():
        return None
    protocol = next((found for name in _PROTOCOLS if (found := os.environ.get(name))), "http/protobuf")
    if protocol != "http/protobuf":
        _logger.warning("OTEL_EXPORTER_OTLP_PROTOCOL is %s: traces are sent by http/protobuf only", protocol)
    try:
        from .telemetry import make_provider
    except ImportError as error:
        _logger.warning(
            "No traces, though OTEL_* asks for them: pip install 'worker-service[opentelemetry]' (%s)", error
        )
        return None
    provider = make_provider()
    # Not atexit: Dramatiq's worker processes and web's are multiprocessing children, which do not run it.
    Finalize(None, _bounded(provider.shutdown, FLUSH_SECONDS), exitpriority=5)
    return provider


def _bounded(do: Callable[[], Any], seconds: float) -> Callable[[], None]:
    """What does it, but is not waited for longer: a receiver that does not answer must hold up no end.

    The thread is there from the beginning, for none can be started any more when a process ends.
    """
    begin, ended = threading.Event(), threading.Event()

    def run() -> None:
        begin.wait()
        do()
        ended.set()

    threading.Thread(target=run, name="last-spans", daemon=True).start()

    def finish() -> None:
        begin.set()
        ended.wait(seconds)

    return finish
