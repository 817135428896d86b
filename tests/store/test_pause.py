"""pause and resume: whether jobs of a queue are started."""

from typing import Any

import pytest

from tests.store.builders import NOW, a_session, claim, is_marked, submitted
from worker_service.store import Store
from worker_service.store.overview import Overviews, Pause


@pytest.fixture
def session(store: Store) -> str:
    return a_session(store)


def names(store: Store, **fields: Any) -> list[str]:
    return [job.id for job in claim(store, queues=["default", "other"], **fields).jobs]


def test_paused_queue_is_passed_over_and_others_are_not(store: Store, session: str):
    for id in ("a", "b"):
        submitted(store, id)
    submitted(store, "later", delay_ms=5)
    submitted(store, "c", queue="other")
    store.pause("default", "maintenance", NOW)

    assert names(store, now_ms=NOW + 10) == ["c"]
    assert not is_marked(store)


def test_resumed_queue_is_served_at_once_in_its_order(store: Store, session: str):
    for id in ("a", "b"):
        submitted(store, id)
    store.pause("default", "maintenance", NOW)
    assert names(store) == []

    store.resume("default")
    store.resume("default")

    assert is_marked(store)
    assert names(store) == ["a", "b"]


def test_pause_ends_by_itself_and_the_claim_says_when(store: Store, session: str):
    submitted(store, "a")
    store.pause("default", "an hour", NOW, until_ms=NOW + 3_600_000)

    found = claim(store)
    assert (found.jobs, found.next_due_ms) == ([], 3_600_000)

    assert names(store, now_ms=NOW + 3_600_000) == ["a"]


def test_paused_queue_without_an_end_announces_nothing(store: Store, session: str):
    submitted(store, "a", delay_ms=5)
    store.pause("default", "for now", NOW)
    assert claim(store).next_due_ms is None


def test_pause_is_shown_with_its_reason_while_it_lasts(store: Store):
    submitted(store, "a")
    readings = Overviews(store.client, store.namespace)
    store.pause("default", 'the "bank" is away\n', NOW, until_ms=NOW + 10, by="ann")
    (queue,) = readings.read(now_ms=NOW + 9).queues
    assert queue.pause == Pause('the "bank" is away\n', NOW, NOW + 10, "ann")
    (queue,) = readings.read(now_ms=NOW + 10).queues
    assert queue.pause is None
