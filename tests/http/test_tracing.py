"""Spans of requests: which have one, what stands in none, and what a request without a trace gets."""

import logging
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from worker_service import tracing
from worker_service.api.request_log import request_fields
from worker_service.broker.broker import JobBroker
from worker_service.settings import Settings
from worker_service.web import create_app

TRACE = "0af7651916cd43dd8448eb211c80319c"
SECRET = "a-text-that-nobody-should-read"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def app(
    broker: JobBroker, settings: Settings, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> Flask:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_provider", lambda: provider)
    return create_app(broker, settings)


class Lines(logging.Handler):
    """What each line of requests is about."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[dict[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.fields.append(dict(request_fields()))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logger = logging.getLogger("worker_service.requests")
    before = logger.level
    logger.setLevel(logging.INFO)  # not by the attribute: loggers remember what is enabled
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


def told(exporter: InMemorySpanExporter) -> tuple[ReadableSpan, ...]:
    return exporter.get_finished_spans()


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/livez", []),
        ("/readyz", []),
        ("/metrics", []),
        ("/static/icon.svg", []),
        ("/v1/queues/metrics", ["GET /v1/queues/<queue>"]),
        ("/v1/jobs?tag=/livez", ["GET /v1/jobs"]),
        ("/v1/jobs/none/events", []),
    ],
)
def test_what_looks_again_and_again_has_no_span(
    client: FlaskClient, exporter: InMemorySpanExporter, path: str, names: list[str]
):
    client.get(path).close()
    assert [span.name for span in told(exporter)] == names


def test_prefix_and_name_of_the_host_change_nothing(client: FlaskClient, exporter: InMemorySpanExporter):
    client.get("/livez", base_url="http://jobs.example.org/some/where")
    assert told(exporter) == ()
    client.get("/v1/jobs", base_url="http://livez.example.org/metrics")
    assert [span.name for span in told(exporter)] == ["GET /v1/jobs"]


@pytest.mark.parametrize(
    ("path", "spans"), [("/v1/jobs?q=", 1), ("/nowhere?code=", 1), ("/ui/jobs?filter=", 3)]
)
def test_query_is_in_no_span_neither_in_those_of_what_a_page_asks(
    client: FlaskClient, exporter: InMemorySpanExporter, path: str, spans: int
):
    client.get(path + SECRET)
    assert len(told(exporter)) == spans
    assert SECRET not in "".join(span.to_json() for span in told(exporter))


def test_request_without_a_trace_gets_one_which_its_job_and_its_log_name(
    client: FlaskClient, exporter: InMemorySpanExporter, lines: Lines
):
    made = client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}}).get_json()
    (span,) = told(exporter)
    assert span.context is not None
    trace, parent = f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"
    assert made["traceparent"].startswith(f"00-{trace}-{parent}-")
    assert [each["trace_id"] for each in lines.fields] == [trace]


def test_request_with_a_trace_keeps_it(client: FlaskClient, exporter: InMemorySpanExporter, lines: Lines):
    header = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    client.post("/v1/jobs", json={"actor": "add", "args": {"x": 1}}, headers=header)
    (span,) = told(exporter)
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == TRACE
    assert [each["trace_id"] for each in lines.fields] == [TRACE]
