"""run_now: a person lets a job run that waits for its time."""

import pytest

from tests.store.builders import (
    NOW,
    a_job,
    a_session,
    claim,
    claimed,
    contents,
    crashed,
    fields_of,
    finish,
    ids,
    is_marked,
    out_of_memory,
    submitted,
    take_mark,
    words,
)
from worker_service.store import Lock, Store


def test_scheduled_job_may_be_claimed_at_once(store: Store):
    id = submitted(store, delay_ms=60_000)
    take_mark(store)

    assert store.run_now(id, now_ms=NOW + 5) == "queued"

    record = fields_of(store, id)
    assert (record["state"], record["due_at"], "wait_reason" in record) == ("queued", str(NOW + 5), False)
    assert is_marked(store)
    assert ids(store, store.keys.due("default")) == []
    a_session(store)
    assert [job.id for job in claim(store, now_ms=NOW + 5).jobs] == [id]


@pytest.mark.parametrize("verb", ["retry", "snooze"])
def test_job_that_waits_to_run_again_may_be_claimed_at_once(store: Store, verb: str):
    job = claimed(store)
    finish(store, job, verb, delay_ms=60_000, reason="x")

    assert store.run_now(job.id, now_ms=NOW) == "queued"

    assert [each.id for each in claim(store).jobs] == [job.id]


def test_job_that_crashed_may_be_claimed_at_once(store: Store):
    id = crashed(store, times=2)

    assert store.run_now(id, now_ms=NOW - 999_000) == "queued"


def test_it_comes_behind_those_of_its_priority_that_came_before(store: Store):
    later = submitted(store, delay_ms=60_000)
    first, second, low = submitted(store), submitted(store), submitted(store, priority=9)

    store.run_now(later, now_ms=NOW)

    assert ids(store, store.keys.ready("default")) == [first, second, later, low]


def test_repeated_call_changes_nothing(store: Store):
    id = submitted(store, delay_ms=60_000)
    store.run_now(id, now_ms=NOW)
    before = contents(store)

    assert store.run_now(id, now_ms=NOW + 9) == "queued"

    assert contents(store) == before


def test_job_that_does_not_wait_for_its_time_stays_as_it_is(store: Store):
    runs = claimed(store, lock=Lock("d", "done"))
    follows = a_job(lock=Lock("d", "done", "keep_last"))
    assert words(store.submit([follows], now_ms=NOW)) == ["follows"]
    ended = claimed(store, session="s2")
    finish(store, ended, "complete")
    before = contents(store)

    assert store.run_now(runs.id, now_ms=NOW) == "running"
    assert store.run_now(follows.id, now_ms=NOW) == "locked"
    assert store.run_now(ended.id, now_ms=NOW) == "finished"
    assert store.run_now("nothing", now_ms=NOW) == "unknown"

    assert contents(store) == before


@pytest.mark.parametrize("field", ["state", "queue", "priority"])
def test_damaged_record_is_left_to_the_doctor(store: Store, field: str):
    id = submitted(store, delay_ms=60_000)
    store.client.hdel(store.keys.job(id), field)
    before = contents(store)

    assert store.run_now(id, now_ms=NOW) == "damaged"

    assert contents(store) == before


def test_record_of_another_type_is_left_to_the_doctor(store: Store):
    store.client.set(store.keys.job("one"), "vandal")

    assert store.run_now("one", now_ms=NOW) == "damaged"


def test_full_server_still_lets_it_run(limited: Store):
    id = submitted(limited, delay_ms=60_000)

    with out_of_memory(limited.client):
        assert limited.run_now(id, now_ms=NOW) == "queued"

    assert fields_of(limited, id)["state"] == "queued"
