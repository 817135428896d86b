"""close_session: a worker process leaves, and what it holds goes back."""

import pytest

from tests.store.builders import (
    NOW,
    a_job,
    a_session,
    claim,
    claimed,
    contents,
    fields_of,
    finish,
    ids,
    is_marked,
    out_of_memory,
    running,
    submitted,
    take_mark,
)
from worker_service.store import SessionLost, Store


def test_held_jobs_go_back_to_their_old_places_uncharged(store: Store):
    for id, priority in [("b", 0), ("a", -5), ("c", 0)]:
        submitted(store, id, priority=priority)
    a_session(store)
    claim(store, 2)
    submitted(store, "d")

    store.close_session("s1")

    assert ids(store, store.keys.ready("default")) == ["a", "b", "c", "d"]
    record = fields_of(store, "a")
    assert record["state"] == "queued"
    assert not {"token", "place", "attempts", "crashes"} & set(record)


def test_nothing_of_the_session_is_left(store: Store):
    claimed(store)

    store.close_session("s1")

    assert not [key for key in contents(store) if key.endswith("s1")]
    assert ids(store, store.keys.sessions) == []
    with pytest.raises(SessionLost):
        claim(store)


def test_repeated_call_changes_nothing(store: Store):
    claimed(store)
    store.close_session("s1")
    before = contents(store)

    store.close_session("s1")

    assert contents(store) == before


def test_token_of_a_closed_session_is_worth_nothing(store: Store):
    job = claimed(store)
    store.close_session("s1")
    a_session(store, "s2")
    claim(store, session="s2")
    before = contents(store)

    assert finish(store, job, "complete") == "stale"

    assert contents(store) == before


def test_other_sessions_keep_their_jobs(store: Store):
    submitted(store, "a")
    submitted(store, "b")
    a_session(store, "s1")
    a_session(store, "s2")
    claim(store, 1, session="s1")
    claim(store, 1, session="s2")

    store.close_session("s1")

    assert running(store, "s2") == {"b": "s2:1"}
    assert ids(store, store.keys.sessions) == ["s2"]


def test_marks_that_went_with_the_process_are_set_again(store: Store):
    submitted(store, queue="a")
    submitted(store, queue="b", delay_ms=5_000)
    store.cancel(submitted(store, queue="empty"), now_ms=NOW)
    for queue in ("a", "b", "empty"):
        take_mark(store, queue)
    a_session(store)

    store.close_session("s1")

    assert [is_marked(store, queue) for queue in ("a", "b", "empty")] == [True, True, False]


def test_many_jobs_go_back_in_slices(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("worker_service.store.transitions.CLOSE_LIMIT", 2)
    store.submit([a_job(f"job-{number}") for number in range(5)], now_ms=NOW)
    a_session(store)
    claim(store)

    store.close_session("s1")

    assert ids(store, store.keys.ready("default")) == [f"job-{number}" for number in range(5)]
    assert ids(store, store.keys.sessions) == []


@pytest.mark.parametrize("damage", ["wrong type", "gone", "no place", "no queue"])
def test_damaged_record_does_not_hold_the_others(store: Store, damage: str):
    store.submit([a_job("a"), a_job("bad"), a_job("c")], now_ms=NOW)
    a_session(store)
    claim(store)
    key = store.keys.job("bad")
    if damage in ("wrong type", "gone"):
        store.client.delete(key)
    if damage == "wrong type":
        store.client.set(key, "x")
    else:
        store.client.hdel(key, damage.removeprefix("no "))

    store.close_session("s1")

    waiting = ids(store, store.keys.ready("default"))
    assert [id for id in waiting if id != "bad"] == ["a", "c"]
    assert not [key for key in contents(store) if key.endswith("s1")]


def test_full_server_still_lets_a_session_leave(limited: Store):
    job = claimed(limited)

    with out_of_memory(limited.client):
        limited.close_session("s1")

    assert ids(limited, limited.keys.ready("default")) == [job.id]
