"""A stand-in for Sentry hears of what failed for good, and of no secret."""

import gzip
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.receiver import Receiver
from tests.up.service import RunningService
from tests.up.test_sensitive import MARKER, TOKEN
from tests.waiting import wait_until

Event = dict[str, Any]


@pytest.fixture
def sentry() -> Iterator[Receiver]:
    """What takes envelopes, as Sentry does."""
    with Receiver() as receiver:
        receiver.answers = [200] * 100
        yield receiver


def dsn(sentry: Receiver) -> str:
    return f"http://key@127.0.0.1:{sentry.port}/1"


def events(sentry: Receiver) -> list[Event]:
    """The events of all envelopes: lines of JSON, each after one that says what it is."""
    found = []
    for each in list(sentry.received):
        lines = gzip.decompress(each.body).splitlines()
        found += [json.loads(text) for head, text in pairwise(lines) if is_event(head)]
    return found


def is_event(head: bytes) -> bool:
    return bool(json.loads(head).get("type") == "event")


def of_attempts(found: list[Event]) -> list[Event]:
    """Those that tell how an attempt ended, and not what the actor's code logged."""
    return [each for each in found if "logger" not in each]


def job_ids(found: list[Event]) -> list[str]:
    return [each["contexts"]["job"]["id"] for each in found]


def run(service: RunningService) -> tuple[str, str]:
    """Ids of two jobs that have failed: one after two attempts, one at once."""
    service.wait_until_ready()
    paths = [service.submit(actor, token=TOKEN) for actor in ("fail_to_sign_in", "give_up")]
    for path in paths:
        service.wait_for_state(path, "dead")
    twice, once = (path.rpartition("/")[2] for path in paths)
    return twice, once


def test_failure_for_good_is_told_once_without_what_is_sensitive(start: Any, sentry: Receiver):
    service = start(JOBS_ACTOR_MODULES="sensitive_actor", JOBS_SENTRY_DSN=dsn(sentry))
    twice, once = run(service)
    service.close()  # what was not sent by then never is

    found = events(sentry)
    assert sorted(job_ids(of_attempts(found))) == sorted([twice, once])
    assert job_ids([each for each in found if "logger" in each]) == [twice, twice]
    last = next(each for each in of_attempts(found) if each["contexts"]["job"]["id"] == twice)
    assert last["contexts"]["job"] == {
        "id": twice,
        "actor": "fail_to_sign_in",
        "queue": "default",
        "attempt": 2,
        "max_attempts": 2,
    }
    assert last["tags"] == {"actor": "fail_to_sign_in", "queue": "default"}
    assert [error["value"] for error in last["exception"]["values"]] == [
        "server says: ***",
        "cannot use '***'",
    ]
    assert [each for each in sentry.received if MARKER.encode() in gzip.decompress(each.body)] == []
    assert "dramatiq" not in last["contexts"]


def test_each_attempt_is_told_when_that_is_asked_for(start: Any, sentry: Receiver):
    service = start(
        JOBS_ACTOR_MODULES="sensitive_actor", SENTRY_DSN=dsn(sentry), JOBS_SENTRY_EVERY_ATTEMPT="true"
    )
    twice, once = run(service)
    wait_until(
        lambda: sorted(job_ids(of_attempts(events(sentry)))) == sorted([twice, twice, once]), timeout=10
    )


def test_what_is_no_dsn_is_refused(start: Any):
    service = start(arguments=("web",), JOBS_SENTRY_DSN="sentry.example.org")
    assert service.main.wait(20) != 0
    assert "JOBS_SENTRY_DSN" in service.output()
