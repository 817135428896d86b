"""cancel: a job that has not started never will."""

import pytest

from tests.store.builders import (
    LEASE,
    NOW,
    RUN_ID,
    a_job,
    a_session,
    claim,
    claimed,
    contents,
    fields_of,
    finish,
    ids,
    out_of_memory,
    submitted,
)
from worker_service.store import Queries, Store


def retrying(store: Store) -> str:
    job = claimed(store)
    finish(store, job, "retry", delay_ms=1_000, reason="retry")
    return job.id


class TestWaitingJob:
    @pytest.mark.parametrize("state", ["queued", "scheduled", "retrying"])
    def test_it_is_cancelled_and_never_claimed(self, store: Store, state: str):
        made = {
            "queued": submitted,
            "scheduled": lambda store: submitted(store, delay_ms=9),
            "retrying": retrying,
        }
        id = made[state](store)
        assert fields_of(store, id)["state"] == state

        assert store.cancel(id, now_ms=NOW) == "cancelled"

        assert fields_of(store, id)["state"] == "cancelled"
        assert fields_of(store, id)["finished_at"] == str(NOW)
        assert "wait_reason" not in fields_of(store, id)
        assert ids(store, store.keys.ready("default")) == ids(store, store.keys.due("default")) == []
        assert ids(store, store.keys.final("cancelled")) == [id]
        a_session(store)
        assert claim(store, now_ms=NOW + 60_000).jobs == []

    def test_others_in_the_queue_stay(self, store: Store):
        for id in ["a", "b", "c"]:
            submitted(store, id)

        store.cancel("b", now_ms=NOW)

        assert ids(store, store.keys.ready("default")) == ["a", "c"]

    def test_it_is_counted(self, store: Store, reads: Queries):
        store.cancel(submitted(store), now_ms=NOW)

        assert reads.totals("work")["cancelled"] == 1


def test_repeated_call_says_the_same_and_changes_nothing(store: Store):
    id = submitted(store)
    store.cancel(id, now_ms=NOW)
    before = contents(store)

    assert store.cancel(id, now_ms=NOW + 1) == "cancelled"

    assert contents(store) == before


class TestRunningJob:
    def test_its_process_is_told_and_it_runs_on(self, store: Store):
        job = claimed(store)

        assert store.cancel(job.id, now_ms=NOW) == "asked"
        assert store.cancel(job.id, now_ms=NOW + 1) == "asked"

        assert ids(store, store.keys.bell("s1")) == [f"cancel {job.token} {job.id}"]
        assert fields_of(store, job.id)["state"] == "running"

    @pytest.mark.parametrize("verb", ["cancel", "retry", "snooze", "hand_back", "dead_letter"])
    def test_it_is_not_put_back(self, store: Store, verb: str):
        job = claimed(store)
        store.cancel(job.id, now_ms=NOW)

        assert finish(store, job, verb, delay_ms=5, follow_ups=[a_job("next")], now_ms=NOW + 1) == "done"
        assert finish(store, job, verb, now_ms=NOW + 2) == "already"

        fields = fields_of(store, job.id)
        assert (fields["state"], fields["finished_at"]) == ("cancelled", str(NOW + 1))
        assert "attempts" not in fields
        assert fields_of(store, "next") == {}
        assert ids(store, store.keys.ready("default")) == ids(store, store.keys.due("default")) == []

    def test_one_that_ends_all_the_same_has_succeeded_and_nothing_follows(self, store: Store):
        job = claimed(store)
        store.cancel(job.id, now_ms=NOW)

        finish(store, job, "complete", result="1", follow_ups=[a_job("next")])

        assert fields_of(store, job.id)["state"] == "succeeded"
        assert fields_of(store, "next") == {}

    @pytest.mark.parametrize("started", [None, ["job"], []])
    def test_when_its_process_dies_it_does_not_run_again(self, store: Store, started: list[str] | None):
        job = claimed(store, "job")
        store.cancel(job.id, now_ms=NOW)

        store.rescue(LEASE, RUN_ID, session="s1", started=started, now_ms=NOW)

        assert fields_of(store, job.id)["state"] == "cancelled"
        assert ids(store, store.keys.ready("default")) == ids(store, store.keys.due("default")) == []

    def test_when_its_process_leaves_it_does_not_run_again(self, store: Store):
        job = claimed(store)
        store.cancel(job.id, now_ms=NOW)

        store.close_session("s1", now_ms=NOW)

        assert fields_of(store, job.id)["state"] == "cancelled"

    def test_it_is_found_by_who_missed_the_bell(self, store: Store, reads: Queries):
        job, other = claimed(store), claimed(store, session="s2")
        store.cancel(job.id, now_ms=NOW)
        assert reads.cancel_asked([job.id, other.id, "unknown"]) == [(job.id, job.token)]


@pytest.mark.parametrize("verb", ["complete", "dead_letter"])
def test_finished_job_stays_as_it_is(store: Store, verb: str):
    job = claimed(store)
    finish(store, job, verb)
    before = contents(store)

    assert store.cancel(job.id, now_ms=NOW) == "finished"

    assert contents(store) == before


def test_unknown_job_is_unknown(store: Store):
    assert store.cancel("nothing", now_ms=NOW) == "unknown"
    assert contents(store) == {}


def test_full_server_still_cancels(limited: Store):
    id = submitted(limited)

    with out_of_memory(limited.client):
        assert limited.cancel(id, now_ms=NOW) == "cancelled"

    assert fields_of(limited, id)["state"] == "cancelled"
