"""Which variables ask for traces, and what is said when they cannot be had."""

import logging
import sys
import threading
import time

import pytest

from worker_service import tracing

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OTEL_SDK_DISABLED",
        "OTEL_TRACES_EXPORTER",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    ):
        monkeypatch.delenv(name, raising=False)


def ask(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("variables", "is_wanted"),
    [
        ({}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, True),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "console"}, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "True"}, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "false"}, True),
    ],
)
def test_variables_of_opentelemetry_are_the_switch(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], is_wanted: bool
):
    ask(monkeypatch, variables)
    assert tracing.is_wanted() is is_wanted


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (ENDPOINT, "pip install 'worker-service[opentelemetry]'"),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER names zipkin"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL is grpc"),
    ],
)
def test_service_without_what_is_asked_for_goes_on_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variables: dict[str, str], said: str
):
    ask(monkeypatch, variables)
    monkeypatch.setitem(sys.modules, "worker_service.telemetry", None)  # as without the extra
    with caplog.at_level(logging.WARNING):
        assert tracing._provider.__wrapped__() is None
    assert said in caplog.text


def test_nothing_is_said_where_nobody_asks(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.DEBUG):
        assert tracing._provider.__wrapped__() is None
    assert caplog.text == ""


def test_last_spans_are_waited_for_but_not_for_long():
    done, never = threading.Event(), threading.Event()
    tracing._bounded(done.set, 5)()
    assert done.is_set()
    began = time.monotonic()
    tracing._bounded(never.wait, 0.05)()
    assert time.monotonic() - began < 1
    never.set()
