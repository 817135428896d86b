"""What finish creates besides: follow-ups of a job, and the callbacks of its group."""

import pytest

from tests.store.builders import (
    LEASE,
    NOW,
    RUN_ID,
    a_job,
    a_message,
    a_session,
    claim,
    claimed,
    contents,
    fields_of,
    finish,
    ids,
    is_marked,
    outcome,
    submitted,
)
from worker_service.jobs.states import State
from worker_service.store import ClaimedJob, Queries, Store


class TestFollowUps:
    @pytest.mark.parametrize("verb", ["complete", "retry", "dead_letter"])
    def test_they_are_created_with_the_end_of_their_parent(self, store: Store, reads: Queries, verb: str):
        job = claimed(store, "parent")
        follow_ups = [
            a_job("now", parent="parent", queue="mail", message=a_message("now", 2**60, [])),
            a_job("later", parent="parent", delay_ms=900),
        ]

        finish(store, job, verb, follow_ups=follow_ups)

        now, later = reads.job("now"), reads.job("later")
        assert now is not None
        assert later is not None
        assert (now.state, now.parent, now.queue) == (State.QUEUED, "parent", "mail")
        assert now.message["args"] == [2**60, []]
        assert (later.state, later.due_at_ms) == (State.SCHEDULED, NOW + 900)
        assert is_marked(store, "mail")

    def test_one_that_cannot_run_is_created_dead(self, store: Store, reads: Queries):
        job = claimed(store, "parent")

        finish(
            store,
            job,
            "complete",
            follow_ups=[a_job("bad", parent="parent", dead_reason="not_json"), a_job("good")],
        )

        bad = reads.job("bad")
        assert bad is not None
        assert (bad.state, bad.reason, bad.parent) == (State.DEAD, "not_json", "parent")
        assert fields_of(store, "good")["state"] == "queued"
        assert fields_of(store, "parent")["state"] == "succeeded"

    def test_one_that_exists_is_left_alone(self, store: Store):
        submitted(store, "next", message=a_message("next", "first"))
        a_session(store)
        claim(store)
        job = claimed(store, "parent")

        assert finish(store, job, "complete", follow_ups=[a_job("next")]) == "done"

        assert fields_of(store, "next")["state"] == "running"
        assert store.client.get(store.keys.msg("next")) == a_message("next", "first")

    def test_stale_parent_creates_none(self, store: Store):
        job = claimed(store, "parent")
        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

        assert finish(store, job, "complete", follow_ups=[a_job("next")]) == "stale"

        assert fields_of(store, "next") == {}

    def test_they_and_the_outcomes_behind_them_keep_apart(self, store: Store):
        store.submit([a_job("a"), a_job("b")], now_ms=NOW)
        a_session(store)
        a, b = claim(store).jobs
        store.create_group("g", 1, 60_000)

        words = store.finish(
            [
                outcome(
                    a, "complete", follow_ups=[a_job("f1"), a_job("f2")], group="g", callbacks=[a_job("cb")]
                ),
                outcome(b, "complete", result="2"),
            ],
            now_ms=NOW,
        )

        assert words == ["done", "done"]
        assert sorted(ids(store, store.keys.ready("default"))) == ["cb", "f1", "f2"]
        assert store.client.hget(store.keys.out("b"), "result") == b"2"


class TestGroups:
    """A group counts distinct members that completed; the last one creates the callbacks."""

    @pytest.fixture
    def members(self, store: Store) -> list[ClaimedJob]:
        store.create_group("g", 2, 60_000)
        store.submit([a_job("a"), a_job("b")], now_ms=NOW)
        a_session(store)
        return claim(store).jobs

    def complete(self, store: Store, job: ClaimedJob) -> str:
        return finish(store, job, "complete", group="g", callbacks=[a_job("cb1"), a_job("cb2")])

    def test_last_member_creates_the_callbacks(self, store: Store, members: list[ClaimedJob]):
        self.complete(store, members[0])
        assert fields_of(store, "cb1") == {}

        self.complete(store, members[1])

        assert ids(store, store.keys.ready("default")) == ["cb1", "cb2"]
        assert not store.client.exists(store.keys.group("g"))

    def test_member_that_completes_again_is_counted_once(self, store: Store, members: list[ClaimedJob]):
        self.complete(store, members[0])

        assert self.complete(store, members[0]) == "already"

        assert fields_of(store, "cb1") == {}

    def test_member_that_ran_twice_is_counted_once(self, store: Store, members: list[ClaimedJob]):
        finish(store, members[0], "hand_back")
        (again,) = claim(store).jobs
        self.complete(store, again)
        self.complete(store, members[0])
        assert fields_of(store, "cb1") == {}

        self.complete(store, members[1])

        assert ids(store, store.keys.ready("default")) == ["cb1", "cb2"]

    def test_member_that_failed_keeps_the_group_open(self, store: Store, members: list[ClaimedJob]):
        finish(store, members[0], "dead_letter")
        self.complete(store, members[1])

        assert fields_of(store, "cb1") == {}
        assert store.client.exists(store.keys.group("g"))

    def test_callbacks_are_created_once_when_the_last_reply_was_lost(
        self, store: Store, members: list[ClaimedJob]
    ):
        self.complete(store, members[0])
        self.complete(store, members[1])
        before = contents(store)

        assert self.complete(store, members[1]) == "already"

        assert contents(store) == before

    def test_group_that_is_gone_creates_nothing(self, store: Store, members: list[ClaimedJob]):
        store.client.delete(store.keys.group("g"))

        assert [self.complete(store, job) for job in members] == ["done", "done"]

        assert fields_of(store, "cb1") == {}

    def test_group_created_twice_keeps_its_count(self, store: Store, members: list[ClaimedJob]):
        self.complete(store, members[0])

        store.create_group("g", 2, 60_000)
        self.complete(store, members[1])

        assert fields_of(store, "cb1")["state"] == "queued"

    def test_group_expires(self, store: Store, members: list[ClaimedJob]):
        assert 0 < store.client.pttl(store.keys.group("g")) <= 60_000
