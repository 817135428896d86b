"""What spans are made of and where they go; imported only where traces are wanted (tracing)."""

import os
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import wrapt
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .store.scripts import verb_of

NAME = "worker-service"

_propagator = TraceContextTextMapPropagator()


def make_provider(exporter: SpanExporter | None = None) -> TracerProvider:
    """Make the provider of this process, and let commands to Redis and requests to others have spans.

    Args:
        exporter: by default OTLP over HTTP, as the variables of OpenTelemetry say.
    """
    about = {SERVICE_VERSION: version(NAME)}
    if "OTEL_SERVICE_NAME" not in os.environ and "service.name" not in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    ):
        about[SERVICE_NAME] = NAME
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)  # tracing sees to it
    provider.sampler = _NotAlone(provider.sampler)
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    tracer = provider.get_tracer(NAME, version(NAME))
    RedisInstrumentor().instrument(tracer_provider=provider)
    _wrap_scripts(tracer)
    _wrap_requests(tracer)
    return provider


def note_trace(span: trace.Span, environ: dict[str, Any]) -> None:
    """The span of a request stands for whoever asked: from here on it is what the header ``traceparent`` names.

    Args:
        environ: of the request.
    """
    environ["HTTP_TRACEPARENT"] = _injected(trace.set_span_in_context(span))


def without_query(_error: BaseException | None) -> None:
    """What stands behind the "?" may be a code to sign in with, or an argument that somebody looks for.

    Called when the request is over: before, the instrumentation would write it anew.
    """
    span = trace.get_current_span()
    if isinstance(span, ReadableSpan) and span.is_recording():
        told = span.attributes or {}
        for name in ("http.target", "http.url", "url.full"):
            if name in told:
                span.set_attribute(name, str(told[name]).partition("?")[0])
        if "url.query" in told:
            span.set_attribute("url.query", "")


def _injected(current: Context | None = None) -> str:
    """The ``traceparent`` of a context; by default the current one."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, current)
    return carrier["traceparent"]


class _NotAlone(Sampler):
    """Leaves out commands that belong to no request and no job: those with which idle processes look for work."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: Any,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> SamplingResult:
        if kind is SpanKind.CLIENT and not trace.get_current_span(parent_context).get_span_context().is_valid:
            return SamplingResult(Decision.DROP)
        return self._sampler.should_sample(parent_context, trace_id, name, kind, *args, **kwargs)

    def get_description(self) -> str:
        return f"NotAlone({self._sampler.get_description()})"


def _wrap_scripts(tracer: trace.Tracer) -> None:
    """Scripts go over connections of their own, which the instrumentation of redis-py does not see."""

    def execute(wrapped: Callable[..., Any], _line: Any, command: Sequence[Any], _: Any) -> Any:
        if not trace.get_current_span().is_recording():
            return wrapped(*command)
        about = {"db.system.name": "redis", "db.operation.name": str(command[0])}
        verb = verb_of(command)
        if verb:
            about["db.stored_procedure.name"] = verb
        with tracer.start_as_current_span(
            f"{command[0]} {verb or ''}".rstrip(), kind=SpanKind.CLIENT, attributes=about
        ):
            return wrapped(*command)

    wrapt.wrap_function_wrapper("worker_service.store.line", "Line.execute", execute)


def _wrap_requests(tracer: trace.Tracer) -> None:
    """Requests that jobs send. Only receivers of webhooks are told of the trace: they know the job's anyway."""

    def handle(wrapped: Callable[..., Any], _transport: Any, args: Any, kwargs: Any) -> Any:
        request = args[0] if args else kwargs["request"]
        where = urlsplit(str(request.url))
        with tracer.start_as_current_span(
            request.method,
            kind=SpanKind.CLIENT,
            attributes={
                "http.request.method": request.method,
                "url.scheme": where.scheme,
                "server.address": where.hostname or "",
                "server.port": where.port or (443 if where.scheme == "https" else 80),
            },
        ) as span:
            if "traceparent" in request.headers:
                request.headers["traceparent"] = _injected()
            response = wrapped(request)
            span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= 400:
                span.set_attribute("error.type", str(response.status_code))
                span.set_status(StatusCode.ERROR)
            return response

    wrapt.wrap_function_wrapper(
        "worker_service.outbound.transport", "CheckedTransport.handle_request", handle
    )
