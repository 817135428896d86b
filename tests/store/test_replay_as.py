"""replay_as: a job that was given up is run again as another one."""

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
    submitted,
    words,
)
from worker_service.jobs.errors import StoreFull
from worker_service.jobs.states import State
from worker_service.store import Lock, Queries, Store


def dead(store: Store) -> str:
    return submitted(store, "old", dead_reason="not_json")


def test_new_job_waits_and_each_names_the_other(store: Store, reads: Queries):
    old = dead(store)

    assert store.replay_as(old, a_job("new", priority=3), now_ms=NOW + 5)[0] == "replayed"

    before, after = reads.jobs([old, "new"])
    assert (before.state, before.replayed_as, before.replayed_from) == (State.DEAD, "new", None)
    assert (after.state, after.replayed_from, after.replayed_as) == (State.QUEUED, old, None)
    assert (after.priority, after.created_at_ms) == (3, NOW + 5)
    assert ids(store, store.keys.ready("default")) == ["new"]
    assert is_marked(store)
    assert reads.totals("work")["enqueued"] == 2


def test_cancelled_job_can_be_run_again_too(store: Store):
    id = submitted(store)
    store.cancel(id, now_ms=NOW)
    assert store.replay_as(id, a_job("new"), now_ms=NOW)[0] == "replayed"


def test_lock_that_the_old_one_holds_goes_to_the_new_one(store: Store):
    old = claimed(store, "old", lock=Lock("k", "success"))
    finish(store, old, "dead_letter")

    assert store.replay_as("old", a_job("new", lock=Lock("k", "success", "replace")), now_ms=NOW) == (
        "replayed",
        "",
    )

    assert fields_of(store, "new")["holds"] == "k"
    assert "holds" not in fields_of(store, "old")


def dead_with_a_follower(store: Store) -> None:
    old = claimed(store, "old", lock=Lock("k", "success"))
    follower = a_job("follower", lock=Lock("k", "done", "keep_last"))
    assert words(store.submit([follower], now_ms=NOW)) == ["follows"]
    finish(store, old, "dead_letter")


def test_what_follows_the_old_one_follows_the_new_one(store: Store):
    dead_with_a_follower(store)

    job = a_job("new", lock=Lock("k", "done", "reject"))
    assert store.replay_as("old", job, now_ms=NOW) == ("replayed", "")

    assert fields_of(store, "new")["holds"] == "k"
    assert fields_of(store, "follower")["wait_reason"] == "unique"
    store.cancel("new", now_ms=NOW)
    assert fields_of(store, "follower")["holds"] == "k"


def test_it_is_refused_while_another_job_would_follow_a_window(store: Store):
    dead_with_a_follower(store)
    before = contents(store)
    assert store.replay_as("old", a_job("new", lock=Lock("k", "60000")), now_ms=NOW) == ("locked", "follower")
    assert contents(store) == before


def test_window_of_the_old_one_goes_on_with_the_new_one(store: Store):
    submitted(store, "old", lock=Lock("k", "60000"))
    store.cancel("old", now_ms=NOW)

    assert store.replay_as("old", a_job("new", lock=Lock("k", "60000")), now_ms=NOW) == ("replayed", "")

    assert fields_of(store, "new")["state"] == "queued"
    assert store.client.hget(store.keys.unique("k"), "owner") == b"new"


def test_lock_of_the_old_one_is_released_when_the_new_one_does_other_work(store: Store):
    finish(store, claimed(store, "old", lock=Lock("k", "success")), "dead_letter")
    assert store.replay_as("old", a_job("new", lock=Lock("other", "success")), now_ms=NOW)[0] == "replayed"
    assert not store.client.exists(store.keys.unique("k"))


def test_it_is_refused_while_another_job_does_the_work_of_the_new_one(store: Store):
    finish(store, claimed(store, "old", lock=Lock("k", "success")), "dead_letter")
    submitted(store, "busy", lock=Lock("other", "done"))
    before = contents(store)
    assert store.replay_as("old", a_job("new", lock=Lock("other", "done")), now_ms=NOW) == ("locked", "busy")
    assert contents(store) == before


def test_what_has_begun_to_do_something_once_is_not_run_as_another_job(store: Store):
    job = claimed(store, "old")
    store.begin_step("old", job.token, "charge", now_ms=NOW)
    finish(store, job, "dead_letter")
    before = contents(store)
    assert store.replay_as("old", a_job("new"), now_ms=NOW) == ("has_steps", "")
    assert contents(store) == before


def test_repeated_call_after_a_lost_reply_changes_nothing(store: Store):
    old = dead(store)
    store.replay_as(old, a_job("new"), now_ms=NOW)
    before = contents(store)

    assert store.replay_as(old, a_job("new"), now_ms=NOW + 1)[0] == "replayed"
    assert contents(store) == before

    store.replay([old], "n1", now_ms=NOW)
    before = contents(store)
    assert store.replay_as(old, a_job("new"), now_ms=NOW + 2)[0] == "replayed"
    assert contents(store) == before


def test_old_job_names_the_newest_one(store: Store):
    old = dead(store)
    for new in ("first", "second"):
        store.replay_as(old, a_job(new), now_ms=NOW)
    assert fields_of(store, old)["replayed_as"] == "second"
    assert fields_of(store, "first")["replayed_from"] == old


@pytest.mark.parametrize("kind", ["queued", "running", "succeeded", "expired", "unknown"])
def test_of_a_job_in_another_state_nothing_is_made(store: Store, kind: str):
    id, expected = "unknown", "unknown"
    if kind == "queued":
        id, expected = submitted(store), "active"
    elif kind == "running":
        id, expected = claimed(store).id, "active"
    elif kind == "succeeded":
        job = claimed(store)
        finish(store, job, "complete")
        id, expected = job.id, "finished"
    elif kind == "expired":
        id, expected = submitted(store, expires_in_ms=5), "finished"
        a_session(store)
        claim(store, now_ms=NOW + 5)
    before = contents(store)

    assert store.replay_as(id, a_job("new"), now_ms=NOW)[0] == expected

    assert contents(store) == before


def test_full_server_makes_none(limited: Store):
    old = dead(limited)
    before = contents(limited)

    with out_of_memory(limited.client), pytest.raises(StoreFull):
        limited.replay_as(old, a_job("new"), now_ms=NOW)

    assert contents(limited) == before
