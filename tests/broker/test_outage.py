"""What a worker's log says while Redis is away."""

import logging

import pytest

from worker_service.broker import outage
from worker_service.broker.outage import Outage

AWAY = ConnectionError("refused")


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_it_says_once_that_it_begins_and_once_that_it_is_over(said: pytest.LogCaptureFixture):
    claiming = Outage(logging.getLogger("test"), "Claiming")
    claiming.ends()
    for _ in range(100):
        claiming.goes_on(AWAY)
    claiming.ends()
    claiming.ends()
    assert [record.levelname for record in said.records] == ["WARNING", "INFO"]
    assert said.messages[0] == "Claiming waits: refused"
    assert said.messages[1].startswith("Claiming goes on after ")


def test_it_says_again_while_it_lasts(said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    instants = iter([1.0, 60.0, 62.0, 90.0, 125.0])
    monkeypatch.setattr(outage, "monotonic", lambda: next(instants))
    claiming = Outage(logging.getLogger("test"), "Claiming")
    for _ in range(5):
        claiming.goes_on(AWAY)
    assert len(said.records) == 3
