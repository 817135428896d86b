"""Claimable: whether a claim would find a job."""

import time

import pytest

from tests.store.builders import LEASE, submitted
from worker_service.store import Claimable, Store
from worker_service.store.workers import names_text


@pytest.fixture
def claimable(store: Store) -> Claimable:
    return Claimable(store.client, store.keys)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_job_that_is_ready_or_due_could_be_claimed_and_one_of_another_queue_or_for_later_not(
    store: Store, claimable: Claimable
):
    assert not claimable.is_any(["default", "mail"])
    submitted(store, queue="other", now_ms=now_ms())
    submitted(store, run_at_ms=now_ms() + 60_000, now_ms=now_ms())
    assert not claimable.is_any(["default", "mail"])
    assert claimable.is_any(["mail", "other"])

    submitted(store, queue="mail", run_at_ms=now_ms() - 1, now_ms=now_ms() - 60_000)
    assert claimable.is_any(["default", "mail"])
    assert not claimable.is_any([])


def test_job_of_a_paused_queue_could_not_until_the_pause_is_over(store: Store, claimable: Claimable):
    submitted(store, now_ms=now_ms())
    store.pause("default", "", now_ms())
    assert not claimable.is_any(["default"])

    store.pause("default", "", now_ms(), until_ms=now_ms() - 1)
    assert claimable.is_any(["default"])


def test_queues_are_those_that_the_process_told(store: Store, claimable: Claimable):
    store.open_session("s1", LEASE, {"queues": names_text(["mail", "default"])})
    assert claimable.queues_of("s1") == ("default", "mail")
    assert claimable.queues_of("unknown") == ()
