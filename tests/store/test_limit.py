"""limit: how many jobs may wait in a queue before further ones from outside are refused."""

from typing import Any

import pytest

from tests.store.builders import (
    NOW,
    a_job,
    a_schedule,
    claimed,
    contents,
    fields_of,
    finish,
    fire,
    ids,
    out_of_memory,
    outcome,
    submitted,
    words,
)
from worker_service.store import Idempotency, Lock, Store


def submit(store: Store, *, now_ms: int = NOW, **fields: Any) -> str:
    (word,) = words(store.submit([a_job(**fields)], now_ms=now_ms))
    return word


def test_full_queue_refuses_a_job_and_nothing_changes(store: Store):
    store.limit("default", 2)
    submitted(store)
    submitted(store, delay_ms=60_000)  # waits too
    before = contents(store)

    key = Idempotency("all:key", "fingerprint", 60_000)
    assert submit(store, idempotency=key, lock=Lock("digest", "done")) == "full"

    assert contents(store) == before


def test_other_queues_are_not_concerned(store: Store):
    store.limit("default", 0)
    assert submit(store, queue="other") == "created"


def test_jobs_of_one_call_come_in_up_to_the_limit(store: Store):
    store.limit("default", 2)
    jobs = [a_job() for _ in range(3)]
    assert words(store.submit(jobs, now_ms=NOW)) == ["created", "created", "full"]
    assert words(store.submit(jobs, now_ms=NOW)) == ["exists", "exists", "full"]


def test_room_is_made_by_a_claim(store: Store):
    store.limit("default", 1)
    claimed(store)
    assert submit(store) == "created"
    assert submit(store) == "full"


def test_limit_is_raised_and_removed(store: Store):
    store.limit("default", 1)
    submitted(store)
    store.limit("default", 2)
    store.limit("default", 2)
    assert submit(store) == "created"
    assert submit(store) == "full"
    store.limit("default", None)
    store.limit("default", None)
    assert submit(store) == "created"
    assert not store.client.exists(store.keys.limits)


def test_what_is_there_is_answered_in_a_full_queue_too(store: Store):
    key = Idempotency("all:key", "fingerprint", 60_000)
    submitted(store, "first", idempotency=key)
    submitted(store, "owner", lock=Lock("digest", "done"))
    store.limit("default", 1)

    assert submit(store, idempotency=key) == "replayed"
    assert submit(store, lock=Lock("digest", "done")) == "duplicate"
    assert submit(store, lock=Lock("digest", "done", "replace")) == "replaced"


def test_what_comes_of_accepted_jobs_and_schedules_is_never_refused(store: Store):
    job = claimed(store)
    store.limit("default", 0)

    assert store.finish([outcome(job, "complete", follow_ups=[a_job("next")])], now_ms=NOW) == ["done"]
    assert fire(store, a_schedule(store), NOW) == "fired"
    assert len(ids(store, store.keys.ready("default"))) == 2


def test_retries_and_replays_are_never_refused(store: Store):
    job = claimed(store, "tried")
    store.limit("default", 0)

    assert finish(store, job, "retry", delay_ms=5) == "done"
    assert fields_of(store, "tried")["state"] == "retrying"
    store.cancel("tried", now_ms=NOW)
    assert store.replay(["tried"], "nonce", now_ms=NOW) == ["replayed"]


def test_unreadable_limit_is_none(store: Store):
    store.client.hset(store.keys.limits, "default", "many")
    assert submit(store) == "created"


@pytest.mark.parametrize("most", [5, None])
def test_it_works_on_a_full_server(limited: Store, most: int | None):
    with out_of_memory(limited.client):
        limited.limit("default", most)
