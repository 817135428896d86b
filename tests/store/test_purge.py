"""purge: what waits in a queue is cancelled."""

import pytest

from tests.store.builders import (
    NOW,
    a_job,
    claimed,
    contents,
    fields_of,
    finish,
    ids,
    out_of_memory,
    submitted,
    words,
)
from worker_service.store import Lock, Store, transitions


def test_what_waits_in_the_queue_is_cancelled_and_nothing_else(store: Store):
    runs, again = claimed(store), claimed(store, session="s2")
    finish(store, again, "retry", delay_ms=60_000)
    waits = [submitted(store), submitted(store, delay_ms=60_000), again.id]
    elsewhere = submitted(store, queue="other")

    assert store.purge("default", 100, now_ms=NOW) == 3

    assert {fields_of(store, id)["state"] for id in waits} == {"cancelled"}
    assert sorted(ids(store, store.keys.final("cancelled"))) == sorted(waits)
    assert fields_of(store, runs.id)["state"] == "running"
    assert fields_of(store, elsewhere)["state"] == "queued"
    assert ids(store, store.keys.ready("default")) + ids(store, store.keys.due("default")) == []


@pytest.mark.parametrize("number", [0, 1, 4, 5, 11])
def test_it_goes_in_slices(store: Store, monkeypatch: pytest.MonkeyPatch, number: int):
    monkeypatch.setattr(transitions, "SLICE", 2)
    store.submit([a_job(delay_ms=each % 2 * 1000) for each in range(number)], now_ms=NOW)

    assert store.purge("default", 100, now_ms=NOW) == number
    assert store.purge("default", 100, now_ms=NOW) == 0


def test_it_stops_at_its_bound_with_those_cancelled_that_would_run_first(store: Store):
    low, later = submitted(store, priority=5), submitted(store, delay_ms=60_000)
    first = submitted(store)

    assert store.purge("default", 1, now_ms=NOW) == 1
    assert fields_of(store, first)["state"] == "cancelled"
    assert store.purge("default", 1, now_ms=NOW) == 1
    assert fields_of(store, low)["state"] == "cancelled"
    assert fields_of(store, later)["state"] == "scheduled"


def test_repeated_call_changes_nothing(store: Store):
    submitted(store)
    store.purge("default", 9, now_ms=NOW)
    before = contents(store)

    assert store.purge("default", 9, now_ms=NOW + 5) == 0

    assert contents(store) == before


def test_owner_of_a_lock_frees_it(store: Store):
    submitted(store, lock=Lock("d", "done"))

    assert store.purge("default", 9, now_ms=NOW) == 1

    assert words(store.submit([a_job(lock=Lock("d", "done"))], now_ms=NOW)) == ["created"]


def test_follower_of_a_lock_follows_no_more(store: Store):
    claimed(store, lock=Lock("d", "done"))
    follower = a_job(lock=Lock("d", "done", "keep_last"))
    assert words(store.submit([follower], now_ms=NOW)) == ["follows"]

    assert store.purge("default", 9, now_ms=NOW) == 1

    assert fields_of(store, follower.id)["state"] == "cancelled"
    assert not store.client.hexists(store.keys.unique("d"), "next")


def test_callbacks_of_a_group_that_lost_a_member_are_told(store: Store):
    store.create_group("g", 1, 60_000)
    submitted(store, group="g", is_member=True, callbacks=(a_job("callback", queue="other"),))

    store.purge("default", 9, now_ms=NOW)

    assert fields_of(store, "callback")["reason"] == "group_failed"


@pytest.mark.parametrize("damage", ["of another type", "without a state", "of another queue", "gone"])
def test_damaged_record_holds_up_no_other(store: Store, damage: str):
    damaged, fine = submitted(store), submitted(store)
    if damage in ("of another type", "gone"):
        store.client.delete(store.keys.job(damaged))
    if damage == "of another type":
        store.client.set(store.keys.job(damaged), "vandal")
    elif damage == "without a state":
        store.client.hdel(store.keys.job(damaged), "state")
    elif damage == "of another queue":
        store.client.hset(store.keys.job(damaged), "queue", "other")

    assert store.purge("default", 9, now_ms=NOW) == 1

    assert fields_of(store, fine)["state"] == "cancelled"
    assert ids(store, store.keys.ready("default")) == []


def test_full_server_still_purges(limited: Store):
    id = submitted(limited)

    with out_of_memory(limited.client):
        assert limited.purge("default", 9, now_ms=NOW) == 1

    assert fields_of(limited, id)["state"] == "cancelled"
