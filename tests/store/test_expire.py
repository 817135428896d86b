"""expire: a job that nobody starts before its deadline ends, claimed or not; one that was started in time does not."""

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
from worker_service.store import ClaimedJob, Lock, Queries, Store
from worker_service.store.transitions import EXPIRE_LIMIT

LATE = NOW + 100


def with_deadline(store: Store) -> ClaimedJob:
    """A claimed job that expires at LATE unless it has begun."""
    return claimed(store, "one", expires_in_ms=100)


class TestUnclaimed:
    def test_job_of_a_paused_queue_expires(self, store: Store, reads: Queries):
        submitted(store, "one", expires_in_ms=100)
        store.pause("default", "", NOW)

        assert store.expire(now_ms=LATE - 1) == (0, False)
        assert store.expire(now_ms=LATE) == (1, False)

        record = fields_of(store, "one")
        assert (record["state"], record["finished_at"]) == ("expired", str(LATE))
        assert ids(store, store.keys.final("expired")) == ["one"]
        assert ids(store, store.keys.ready("default")) == ids(store, store.keys.deadlines) == []
        assert reads.totals("work")["expired"] == 1

    def test_scheduled_one_does_so_before_it_is_due(self, store: Store):
        submitted(store, "one", delay_ms=50, expires_in_ms=100)
        assert store.expire(now_ms=LATE) == (1, False)
        assert ids(store, store.keys.due("default")) == []

    def test_one_that_waits_for_another_leaves_its_place_behind_that_one(self, store: Store):
        claimed(store, "owner", lock=Lock("u", "done"))
        store.submit([a_job("next", lock=Lock("u", "done", "keep_last"), expires_in_ms=100)], now_ms=NOW)

        assert store.expire(now_ms=LATE) == (1, False)

        assert fields_of(store, "next")["state"] == "expired"
        assert store.client.hgetall(store.keys.unique("u")) == {b"owner": b"owner"}

    def test_callbacks_of_its_group_are_given_up(self, store: Store):
        store.create_group("g", 1, 60_000)
        member = a_job("one", expires_in_ms=100, group="g", is_member=True, callbacks=(a_job("callback"),))
        store.submit([member], now_ms=NOW)

        store.expire(now_ms=LATE)

        assert fields_of(store, "callback")["reason"] == "group_failed"

    def test_many_expire_in_slices(self, store: Store):
        store.submit([a_job(expires_in_ms=100) for _ in range(EXPIRE_LIMIT + 1)], now_ms=NOW)
        assert store.expire(now_ms=LATE) == (EXPIRE_LIMIT, True)
        assert store.expire(now_ms=LATE) == (1, False)

    def test_damaged_records_hold_up_no_other(self, store: Store):
        for id in ("gone", "another type", "no queue", "good"):
            submitted(store, id, expires_in_ms=100)
        store.client.delete(store.keys.job("gone"), store.keys.job("another type"))
        store.client.set(store.keys.job("another type"), "x")
        store.client.hdel(store.keys.job("no queue"), "queue")

        assert store.expire(now_ms=LATE) == (1, False)

        assert fields_of(store, "good")["state"] == "expired"
        assert ids(store, store.keys.deadlines) == []

    def test_full_server_lets_them_expire(self, limited: Store):
        submitted(limited, "one", expires_in_ms=100)
        with out_of_memory(limited.client):
            assert limited.expire(now_ms=LATE) == (1, False)

    def test_job_without_a_deadline_is_not_watched(self, store: Store):
        submitted(store)
        assert ids(store, store.keys.deadlines) == []

    @pytest.mark.parametrize("how", ["claimed", "cancelled", "dead"])
    def test_one_that_is_started_or_ended_is_watched_no_more(self, store: Store, how: str):
        submitted(store, "one", expires_in_ms=100, dead_reason="x" if how == "dead" else "")
        if how == "claimed":
            claim(store, session=a_session(store))
        elif how == "cancelled":
            store.cancel("one", now_ms=NOW)
        assert ids(store, store.keys.deadlines) == []
        before = contents(store)
        assert store.expire(now_ms=LATE) == (0, False)
        assert contents(store) == before


class TestBegun:
    """A job whose actor had started in time runs again, however late."""

    def runs_again(self, store: Store, at: int = LATE + LEASE) -> bool:
        store.expire(now_ms=at)
        return "one" in [job.id for job in claim(store, session=a_session(store, "s2"), now_ms=at).jobs]

    @pytest.mark.parametrize("verb", ["retry", "snooze", "hand_back"])
    def test_that_failed_or_was_handed_back_at_a_stop(self, store: Store, verb: str):
        finish(store, with_deadline(store), verb, reason="shutdown", delay_ms=1)
        assert self.runs_again(store)

    def test_that_still_ran_when_its_process_left(self, store: Store):
        with_deadline(store)
        store.close_session("s1", started=["one"], now_ms=NOW)
        assert self.runs_again(store)

    def test_that_ran_beside_one_for_which_the_process_was_killed(self, store: Store):
        with_deadline(store)
        submitted(store, "stuck")
        claim(store)
        store.rescue(LEASE, RUN_ID, session="s1", started=["one", "stuck"], overdue="stuck", now_ms=NOW)
        assert fields_of(store, "one").get("crashes") is None
        assert self.runs_again(store)

    def test_that_crashed_its_process(self, store: Store):
        with_deadline(store)
        store.rescue(LEASE, RUN_ID, session="s1", started=["one"], now_ms=NOW)
        assert self.runs_again(store)


class TestOnlyFetched:
    """A job that a process took and gave back before its actor had started may still expire."""

    def expires(self, store: Store) -> bool:
        return store.expire(now_ms=LATE) == (1, False) and fields_of(store, "one")["state"] == "expired"

    def test_handed_back_unstarted(self, store: Store):
        finish(store, with_deadline(store), "hand_back")
        assert self.expires(store)

    def test_of_a_process_that_left(self, store: Store):
        with_deadline(store)
        store.close_session("s1", now_ms=NOW)
        assert self.expires(store)

    def test_of_a_process_that_died(self, store: Store):
        with_deadline(store)
        store.rescue(LEASE, RUN_ID, session="s1", started=[], now_ms=NOW)
        assert self.expires(store)

    def test_by_one_that_does_not_know_its_actor(self, store: Store):
        finish(store, with_deadline(store), "snooze", reason="unknown_actor", delay_ms=1_000)
        assert self.expires(store)


def test_one_that_is_put_back_by_a_person_has_no_deadline_any_more(store: Store):
    finish(store, with_deadline(store), "hand_back", reason="shutdown")
    store.cancel("one", now_ms=NOW)
    store.replay(["one"], "n", now_ms=NOW)
    record = fields_of(store, "one")
    assert not {"began", "expires_at"} & record.keys()
    assert store.expire(now_ms=LATE) == (0, False)
