"""The scheduler that leads logs what needs somebody: when that begins, while it lasts, and when it is over."""

import logging
from collections.abc import Iterator

import pytest

from scheduler.report import Report
from tests.store.builders import submitted
from worker_service.broker.alerts import Alerts
from worker_service.broker.broker import JobBroker
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.store import Schedules
from worker_service.store.overview import Overviews


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[JobBroker]:
    made = JobBroker(Settings(redis_url=redis_url, namespace=namespace), default_middleware())
    Schedules(made.store.client, namespace).lead("a:1:x", 60_000)
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def report(broker: JobBroker, clock: Clock) -> Report:
    return Report(Alerts(broker, "UTC"), Overviews(broker.store.client, broker.store.namespace), clock)


def said(
    report: Report, clock: Clock, caplog: pytest.LogCaptureFixture, minutes: float = 1
) -> list[tuple[str, str]]:
    """What it says after so much time: level, and the alert or the text."""
    caplog.clear()
    clock.now += 60 * minutes
    with caplog.at_level(logging.DEBUG, "scheduler.report"):
        report.look()
    return [(record.levelname, getattr(record, "alert", record.message)) for record in caplog.records]


def test_workers_that_are_gone_are_told_once_in_ten_minutes_and_when_they_are_back(
    report: Report, clock: Clock, broker: JobBroker, caplog: pytest.LogCaptureFixture
):
    submitted(broker.store)
    assert said(report, clock, caplog) == [("INFO", "the service"), ("ERROR", "NoWorker")]
    assert said(report, clock, caplog) == [("INFO", "the service")]
    assert said(report, clock, caplog, minutes=10) == [("INFO", "the service"), ("ERROR", "NoWorker")]
    broker.store.open_session("s", 60_000, {})
    assert said(report, clock, caplog) == [("INFO", "the service"), ("INFO", "NoWorker")]
    assert said(report, clock, caplog) == [("INFO", "the service")]


def test_service_at_rest_fills_no_log(
    report: Report, clock: Clock, broker: JobBroker, caplog: pytest.LogCaptureFixture
):
    broker.store.open_session("s", 60_000, {})
    assert said(report, clock, caplog) == [("DEBUG", "the service")]


def test_it_looks_once_a_minute(report: Report, clock: Clock, caplog: pytest.LogCaptureFixture):
    assert said(report, clock, caplog, minutes=0.9) == []
    assert said(report, clock, caplog, minutes=0.2) != []


def test_it_tells_how_much_waits(
    report: Report, clock: Clock, broker: JobBroker, caplog: pytest.LogCaptureFixture
):
    submitted(broker.store, queue="mails")
    submitted(broker.store, queue="mails", delay_ms=60_000_000)
    said(report, clock, caplog)
    (record,) = [each for each in caplog.records if each.message == "the service"]
    assert {name: getattr(record, name) for name in ("queued", "delayed", "running", "workers")} == {
        "queued": 1,
        "delayed": 1,
        "running": 0,
        "workers": 0,
    }
