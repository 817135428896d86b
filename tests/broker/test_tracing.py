"""Spans of jobs: one when a job is created, one for each delivery, in one trace; no argument in any."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any

import dramatiq
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.broker.conftest import Working, an_actor
from tests.waiting import wait_until
from worker_service import Sensitive
from worker_service.broker.broker import JobBroker
from worker_service.jobs.errors import PermanentError, RetryLater
from worker_service.middleware import default_middleware
from worker_service.middleware.tracing import Tracing
from worker_service.settings import Settings

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


@pytest.fixture
def broker(redis_url: str, namespace: str, provider: TracerProvider) -> Iterator[JobBroker]:
    wanted = Settings(redis_url=redis_url, namespace=namespace)
    made = JobBroker(wanted, [Tracing(provider.get_tracer("test")), *default_middleware()])
    yield made
    made.close()


def spans(exporter: InMemorySpanExporter, *names: str) -> list[ReadableSpan]:
    """Those of these names, in the order in which they began."""
    found: Sequence[ReadableSpan] = exporter.get_finished_spans()
    return sorted((span for span in found if span.name in names), key=lambda span: span.start_time or 0)


def trace_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def run(broker: JobBroker, working: Working, *messages: "dramatiq.Message[Any]") -> None:
    with working(broker):
        for message in messages:
            assert broker.reads.wait_until_final(message.message_id, timeout=10) is not None


def test_delivery_belongs_to_the_trace_of_its_creation_and_is_linked_to_it(
    broker: JobBroker, working: Working, exporter: InMemorySpanExporter
):
    actor = an_actor(broker, lambda text: text)
    message = actor.send("a payload")
    run(broker, working, message)
    created, processed = spans(exporter, "create default", "process default")
    assert (created.kind, processed.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert trace_id(created) == trace_id(processed)
    assert processed.parent is not None
    assert created.context is not None
    assert processed.parent.span_id == created.context.span_id == processed.links[0].context.span_id
    attributes = dict(processed.attributes or {})
    assert attributes.pop("messaging.client.id")
    assert attributes == {
        "messaging.system": "worker_service",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "default",
        "messaging.message.id": message.message_id,
        "worker_service.actor": actor.actor_name,
        "worker_service.attempt": 1,
        "worker_service.outcome": "complete",
    }
    assert "a payload" not in str([span.to_json() for span in exporter.get_finished_spans()])


def test_trace_of_whoever_asks_goes_on(broker: JobBroker, working: Working, exporter: InMemorySpanExporter):
    actor = an_actor(broker, lambda: None)
    run(broker, working, actor.send_with_options(traceparent=PARENT))
    created, processed = spans(exporter, "create default", "process default")
    assert trace_id(created) == trace_id(processed) == TRACE
    assert created.parent is not None
    assert f"{created.parent.span_id:016x}" == PARENT.split("-")[2]


def test_span_that_is_open_is_the_parent(
    broker: JobBroker, provider: TracerProvider, exporter: InMemorySpanExporter
):
    with provider.get_tracer("mine").start_as_current_span("checkout") as span:
        an_actor(broker, lambda: None).send_with_options(traceparent=PARENT)
    (created,) = spans(exporter, "create default")
    assert created.parent == span.get_span_context()


def test_jobs_that_an_actor_sends_and_those_that_follow_are_of_its_trace(
    broker: JobBroker, working: Working, exporter: InMemorySpanExporter
):
    last = an_actor(broker, lambda *_: None, "last")
    first = an_actor(broker, lambda: last.send().message_id and None, "first")
    steps = [first.message(), last.message_with_options(pipe_ignore=True)]
    sent = dramatiq.pipeline(steps, broker=broker).run()
    with working(broker):
        wait_until(lambda: len(spans(exporter, "create default", "process default")) == 6)
    assert len(sent) == 2
    found = spans(exporter, "create default", "process default")
    assert len({trace_id(span) for span in found}) == 1


def test_each_attempt_is_a_span_that_says_how_it_ended(
    broker: JobBroker, working: Working, exporter: InMemorySpanExporter
):
    def fails_twice() -> None:
        raise ValueError("no way")

    actor = an_actor(broker, fails_twice, max_attempts=2, backoff=1)
    run(broker, working, actor.send())
    created, first, second = spans(exporter, "create default", "process default")
    for span, attempt, outcome in ((first, 1, "retry"), (second, 2, "dead_letter")):
        attributes = span.attributes or {}
        assert (attributes["worker_service.attempt"], attributes["worker_service.outcome"]) == (
            attempt,
            outcome,
        )
        assert attributes["error.type"] == "ValueError"
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "no way")
        assert [event.name for event in span.events] == ["exception"]
        assert span.parent is not None
        assert created.context is not None
        assert span.parent.span_id == created.context.span_id


def test_result_that_cannot_be_kept_is_an_error(
    broker: JobBroker, working: Working, exporter: InMemorySpanExporter
):
    run(broker, working, an_actor(broker, object).send())
    (span,) = spans(exporter, "process default")
    attributes = span.attributes or {}
    assert (attributes["worker_service.outcome"], attributes["error.type"]) == (
        "dead_letter",
        "ResultNotStorable",
    )


def test_what_is_put_off_is_no_error(broker: JobBroker, working: Working, exporter: InMemorySpanExporter):
    seen: list[int] = []

    def comes_again() -> None:
        seen.append(1)
        if len(seen) == 1:
            raise RetryLater(timedelta(milliseconds=1))

    run(broker, working, an_actor(broker, comes_again).send())
    outcomes = [
        (span.attributes or {})["worker_service.outcome"] for span in spans(exporter, "process default")
    ]
    assert outcomes == ["snooze", "complete"]
    assert {span.status.status_code for span in spans(exporter, "process default")} == {StatusCode.UNSET}


def test_secret_is_in_no_span(broker: JobBroker, working: Working, exporter: InMemorySpanExporter):
    def sign_in(token: Annotated[str, Sensitive()]) -> None:
        raise PermanentError(f"{token} is refused")

    run(broker, working, an_actor(broker, sign_in).send("swordfish"))
    (span,) = spans(exporter, "process default")
    assert span.status.description == "*** is refused"
    assert "swordfish" not in str([span.to_json() for span in exporter.get_finished_spans()])


def test_spans_of_an_async_actor_are_below_that_of_its_job(
    broker: JobBroker, working: Working, provider: TracerProvider, exporter: InMemorySpanExporter
):
    async def works() -> None:
        with provider.get_tracer("mine").start_as_current_span("inner"):
            pass

    run(broker, working, an_actor(broker, works).send())
    (processed,) = spans(exporter, "process default")
    (inner,) = spans(exporter, "inner")
    assert inner.parent == processed.context
