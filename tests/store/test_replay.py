"""replay: a job that was given up gets another round."""

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
)
from worker_service.jobs.errors import StoreFull
from worker_service.jobs.states import State
from worker_service.store import Queries, Store


def dead(store: Store) -> str:
    job = claimed(store, priority=3, expires_in_ms=60_000)
    finish(store, job, "snooze", reason="snooze", delay_ms=0)
    (again,) = claim(store, now_ms=NOW + 1).jobs
    finish(store, again, "dead_letter", reason="failed", error='{"type":"E","message":"m","traceback":""}')
    return job.id


def test_it_is_queued_behind_those_that_wait_with_all_its_attempts(store: Store, reads: Queries):
    id = dead(store)
    before = submitted(store, priority=3)

    assert store.replay([id], "n1", now_ms=NOW + 5) == ["replayed"]

    job = reads.job(id)
    assert job is not None
    assert (job.state, job.attempts, job.reason, job.finished_at_ms) == (State.QUEUED, 0, None, None)
    assert (job.priority, job.expires_at_ms) == (3, None)
    assert job.due_at_ms == NOW + 5  # since when it waits, for what counts waits
    assert len(job.deliveries) == 2  # what happened is not forgotten
    assert ids(store, store.keys.ready("default")) == [before, id]
    assert ids(store, store.keys.final("dead")) == []
    assert is_marked(store)
    assert reads.totals("work")["replayed"] == 1
    (first, again) = claim(store, now_ms=NOW + 6).jobs
    assert (first.id, again.id) == (before, id)
    assert (again.attempts, again.snoozes, again.token) == (0, 0, "s1:3")


def test_cancelled_job_is_put_back_and_may_run_to_its_end(store: Store):
    job = claimed(store)
    store.cancel(job.id, now_ms=NOW)
    finish(store, job, "cancel")

    assert store.replay([job.id], "n1", now_ms=NOW) == ["replayed"]

    (again,) = claim(store).jobs
    assert finish(store, again, "retry", delay_ms=0) == "done"
    assert fields_of(store, job.id)["state"] == "retrying"


def test_crashes_are_forgiven(store: Store):
    id = crashed(store, times=2, max_crashes=2)
    assert fields_of(store, id)["state"] == "dead"
    store.replay([id], "n1", now_ms=NOW)
    a_session(store)
    (job,) = claim(store, suspects=0).jobs
    assert job.crashes == 0


def test_repeated_call_after_a_lost_reply_changes_nothing(store: Store):
    id = dead(store)
    store.replay([id], "n1", now_ms=NOW)
    before = contents(store)
    assert store.replay([id], "n1", now_ms=NOW + 1) == ["replayed"]
    assert contents(store) == before


@pytest.mark.parametrize("kind", ["queued", "scheduled", "running", "succeeded", "expired"])
def test_job_in_another_state_is_left_alone(store: Store, kind: str):
    if kind == "running":
        id = claimed(store).id
    elif kind == "succeeded":
        job = claimed(store)
        finish(store, job, "complete")
        id = job.id
    elif kind == "expired":
        id = submitted(store, expires_in_ms=5)
        a_session(store)
        claim(store, now_ms=NOW + 5)
    else:
        id = submitted(store, delay_ms=5 if kind == "scheduled" else None)
    before = contents(store)

    expected = "finished" if kind in ("succeeded", "expired") else "active"
    assert store.replay([id], "n1", now_ms=NOW) == [expected]

    assert contents(store) == before


def test_of_many_each_has_its_word_and_a_damaged_one_does_not_hold_the_rest(store: Store):
    first, damaged, foreign, last = dead(store), dead(store), dead(store), dead(store)
    waits = submitted(store)
    store.client.hdel(store.keys.job(damaged), "queue")
    store.client.delete(store.keys.job(foreign))
    store.client.set(store.keys.job(foreign), "no record")

    words = store.replay([first, damaged, "unknown", foreign, waits, last, first], "n1", now_ms=NOW)

    assert words == ["replayed", "damaged", "unknown", "damaged", "active", "replayed", "replayed"]
    assert ids(store, store.keys.ready("default")) == [waits, first, last]


def test_more_than_one_run_of_the_script_takes_are_put_back(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("worker_service.store.transitions.SLICE", 2)
    many = [submitted(store, dead_reason="not_json") for _ in range(5)]

    assert store.replay(many, "n1", now_ms=NOW) == ["replayed"] * 5
    assert store.replay([], "n1") == []


def test_job_that_died_again_is_put_back_under_another_nonce_only(store: Store):
    id = dead(store)
    store.replay([id], "n1", now_ms=NOW)
    (again,) = claim(store).jobs
    finish(store, again, "dead_letter", reason="failed")
    before = contents(store)

    assert store.replay([id], "n1", now_ms=NOW) == ["replayed"]
    assert contents(store) == before
    assert store.replay([id], "n2", now_ms=NOW) == ["replayed"]
    assert fields_of(store, id)["state"] == "queued"


def test_what_ended_later_than_asked_is_left_alone(store: Store):
    before = submitted(store, dead_reason="not_json", now_ms=NOW)
    after = submitted(store, dead_reason="not_json", now_ms=NOW + 1)

    assert store.replay([before, after], "n1", until_ms=NOW, now_ms=NOW + 9) == ["replayed", "later"]

    assert fields_of(store, after)["state"] == "dead"
    assert store.replay([before], "n1", until_ms=NOW, now_ms=NOW + 9) == ["replayed"]


def test_what_was_run_again_with_other_arguments_is_left_out_of_many(store: Store):
    old = dead(store)
    store.replay_as(old, a_job("corrected"), now_ms=NOW)
    assert store.replay([old], "n1", until_ms=NOW + 9, now_ms=NOW + 9) == ["replaced"]
    assert store.replay([old], "n2", now_ms=NOW + 9) == ["replayed"]


def test_fingerprint_goes_with_the_failure(store: Store):
    job = claimed(store)
    finish(store, job, "dead_letter", reason="failed", fingerprint="0123456789abcdef")
    assert fields_of(store, job.id)["fingerprint"] == "0123456789abcdef"

    store.replay([job.id], "n1", now_ms=NOW)

    assert "fingerprint" not in fields_of(store, job.id)


def test_full_server_puts_none_back(limited: Store):
    many = [submitted(limited, dead_reason="not_json") for _ in range(3)]
    before = contents(limited)

    with out_of_memory(limited.client), pytest.raises(StoreFull):
        limited.replay(many, "n1", now_ms=NOW)

    assert contents(limited) == before
