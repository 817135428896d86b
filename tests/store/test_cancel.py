"""cancel: a job that has not started never will."""

import pytest

from tests.store.builders import (
    NOW,
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


def test_running_job_goes_on(store: Store):
    job = claimed(store)
    before = contents(store)

    assert store.cancel(job.id, now_ms=NOW) == "running"

    assert contents(store) == before


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
