"""A receiver of OpenTelemetry's protocol gets one trace from a request to the worker and to the webhook."""

import gzip
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.receiver import SECRET, Receiver
from tests.up.service import RunningService
from tests.waiting import wait_until

TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
PAYLOAD = "a-text-that-nobody-should-read"


@pytest.fixture
def collector() -> Iterator[Receiver]:
    """What takes spans."""
    with Receiver() as receiver:
        receiver.answers = [200] * 1000
        yield receiver


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """What takes webhooks."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def service(start: Callable[..., RunningService], collector: Receiver) -> RunningService:
    running = start(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.port}",
        OTEL_BSP_SCHEDULE_DELAY="100",
        JOBS_ACTOR_MODULES="chatty_actor",
        JOBS_WEBHOOK_SECRETS=SECRET,
        JOBS_OUTBOUND_ALLOW="127.0.0.1",
    )
    running.wait_until_ready()
    return running


def bodies(collector: Receiver) -> list[bytes]:
    return [
        gzip.decompress(each.body) if each.headers.get("Content-Encoding") == "gzip" else each.body
        for each in list(collector.received)
    ]


def spans(collector: Receiver) -> list[Span]:
    return [
        span
        for body in bodies(collector)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def named(collector: Receiver, name: str) -> list[Span]:
    return [span for span in spans(collector) if span.name == name and span.trace_id.hex() == TRACE]


def test_trace_goes_from_the_request_to_the_worker_and_to_the_webhook(
    service: RunningService, collector: Receiver, hook: Receiver
):
    body = {"actor": "chat", "args": {"text": PAYLOAD}, "webhook": {"url": hook.url}}
    answer = service.http.post("/v1/jobs", json=body, headers=HEADERS)
    assert answer.status_code == 202, answer.text
    wait_until(lambda: hook.received, 20, "no webhook")
    expected = (
        "POST /v1/jobs",
        "create default",
        "EVALSHA submit",
        "process default",
        "process webhooks",
        "POST",
    )
    for name in expected:
        wait_until(partial(named, collector, name), 20, f"no span {name!r}")
    (asked,) = named(collector, "POST /v1/jobs")
    (created,) = named(collector, "create default")
    (processed,) = named(collector, "process default")
    (delivered,) = named(collector, "process webhooks")
    (told,) = named(collector, "POST")
    assert asked.parent_span_id.hex() == HEADERS["traceparent"].split("-")[2]
    assert created.parent_span_id == asked.span_id
    assert processed.parent_span_id == created.span_id
    assert delivered.parent_span_id == created.span_id
    assert told.parent_span_id == delivered.span_id
    trace, parent = hook.received[0].headers["traceparent"].split("-")[1:3]
    assert (trace, parent) == (TRACE, told.span_id.hex())


def test_no_span_has_a_payload_and_none_comes_of_looking_for_work(
    service: RunningService, collector: Receiver
):
    service.http.post("/v1/jobs", json={"actor": "chat", "args": {"text": PAYLOAD}}, headers=HEADERS)
    service.http.get(f"/v1/jobs?q={PAYLOAD}", headers=HEADERS)
    service.http.get("/livez", headers=HEADERS)
    wait_until(
        lambda: named(collector, "process default") and named(collector, "GET /v1/jobs"), 20, "no spans"
    )
    assert not named(collector, "GET /livez")
    assert PAYLOAD.encode() not in b"".join(bodies(collector))
    # Workers, keepers and schedulers have asked Redis all the time meanwhile.
    assert {span.trace_id.hex() for span in spans(collector) if not span.parent_span_id} == set()


def test_spans_that_are_left_are_sent_at_the_end(start: Callable[..., RunningService], collector: Receiver):
    running = start(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.port}",
        OTEL_BSP_SCHEDULE_DELAY="600000",
        JOBS_ACTOR_MODULES="chatty_actor",
    )
    running.wait_until_ready()
    schedule = {"actor": "chat_later", "args": {"number": 1}, "every_ms": 1000}
    assert running.http.put("/v1/schedules/often", json=schedule).status_code == 201
    running.http.post("/v1/jobs", json={"actor": "chat", "args": {"text": "x"}}, headers=HEADERS)
    for actor in ("chat", "chat_later"):
        wait_until(partial(ended, running, actor), 20, f"no job of {actor} ends")
    running.main.terminate()
    running.wait_until_gone(30)
    assert named(collector, "process default")
    assert named(collector, "POST /v1/jobs")
    # A scheduler begins a trace for each job.
    ticks = {span.span_id: span for span in spans(collector) if span.name == "create default"}
    begun = [span for span in ticks.values() if not span.parent_span_id]
    runs = [ticks[span.parent_span_id] for span in spans(collector) if span.name == "process default"]
    assert any(span in begun for span in runs)


def ended(running: RunningService, actor: str) -> bool:
    found = running.http.get(f"/v1/jobs?state=succeeded&actor={actor}").json()
    return bool(found["items"])


def test_nothing_is_imported_where_nobody_asks_for_traces(start: Callable[..., RunningService]):
    running = start(JOBS_ACTOR_MODULES="imports_actor")
    running.wait_until_ready()
    # redis-py imports the SDK by itself, wherever that is installed.
    for prefix in ("opentelemetry.instrumentation", "opentelemetry.exporter", "worker_service.telemetry"):
        done = running.wait_for_state(running.submit("imported", prefix=prefix), "succeeded")
        assert done["result"] == []
