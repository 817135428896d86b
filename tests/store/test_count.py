"""Counting comes last in a script, and never makes it fail."""

import pytest

from tests.store.builders import NOW, claimed, finish, submitted
from worker_service.jobs.states import State
from worker_service.store import Queries, Store

UNUSABLE = ["9" * 20, str(2**63 - 1), "many", "007"]


@pytest.mark.parametrize("value", UNUSABLE)
def test_counter_that_cannot_be_added_to_begins_anew(store: Store, reads: Queries, value: str):
    store.client.hset(store.keys.total("work"), mapping={"enqueued": value, "succeeded": value})

    for _ in range(2):
        finish(store, claimed(store), "complete")

    totals = reads.totals("work")
    assert (totals["enqueued"], totals["succeeded"]) == (2, 2)


def test_counter_of_a_minute_that_begins_anew_lives_for_a_day(store: Store):
    bucket = store.keys.minute("work", NOW // 60_000)
    store.client.hset(bucket, "enqueued", "9" * 20)

    submitted(store)

    assert store.client.hget(bucket, "enqueued") == b"1"
    assert store.client.pttl(bucket) > 0


def test_counters_of_another_type_are_left_alone(store: Store, reads: Queries):
    for key in (store.keys.total("work"), store.keys.minute("work", NOW // 60_000)):
        store.client.set(key, "x")

    id = submitted(store)

    assert reads.state(id) is State.QUEUED
    assert store.client.get(store.keys.total("work")) == b"x"
    assert store.client.pttl(store.keys.minute("work", NOW // 60_000)) == -1
