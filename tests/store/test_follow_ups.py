"""What finish creates besides: follow-ups of a job, and the callbacks of its group."""

from collections.abc import Callable
from typing import Any

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

        words = store.finish(
            [
                outcome(a, "complete", follow_ups=[a_job("f1"), a_job("f2")]),
                outcome(b, "complete", result="2"),
            ],
            now_ms=NOW,
        )

        assert words == ["done", "done"]
        assert sorted(ids(store, store.keys.ready("default"))) == ["f1", "f2"]
        assert store.client.hget(store.keys.out("b"), "result") == b"2"


CALLBACKS = (a_job("cb1", message=a_message("cb1", 2**60, "12:ü")), a_job("cb2", delay_ms=700, priority=-3))


def a_member(store: Store, id: str, *, is_member: bool = True, **fields: Any) -> str:
    return submitted(store, id, group="g", is_member=is_member, callbacks=CALLBACKS, **fields)


class TestGroups:
    """A group counts distinct members that completed; the last one creates the callbacks."""

    @pytest.fixture
    def members(self, store: Store) -> list[ClaimedJob]:
        store.create_group("g", 2, 60_000)
        for id in "ab":
            a_member(store, id)
        a_session(store)
        return claim(store).jobs

    def complete(self, store: Store, job: ClaimedJob) -> str:
        return finish(store, job, "complete")

    def test_last_member_creates_the_callbacks(self, store: Store, members: list[ClaimedJob]):
        self.complete(store, members[0])
        assert fields_of(store, "cb1") == {}

        self.complete(store, members[1])

        assert ids(store, store.keys.ready("default")) == ["cb1"]
        assert store.client.get(store.keys.msg("cb1")) == a_message("cb1", 2**60, "12:ü")
        assert fields_of(store, "cb2")["due_at"] == str(NOW + 700)
        assert fields_of(store, "cb2")["priority"] == "-3"
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

        assert ids(store, store.keys.ready("default")) == ["cb1"]

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

    def test_job_before_a_member_does_not_count(self, store: Store, members: list[ClaimedJob]):
        a_member(store, "before", is_member=False)
        (before,) = claim(store).jobs
        self.complete(store, before)
        self.complete(store, members[0])
        assert fields_of(store, "cb1") == {}

        self.complete(store, members[1])

        assert fields_of(store, "cb1")["state"] == "queued"


class TestFailedGroups:
    """A member that will never complete: the callbacks are created dead, so that somebody sees it."""

    @pytest.fixture(autouse=True)
    def group(self, store: Store) -> None:
        store.create_group("g", 2, 60_000)

    def claimed_member(self, store: Store, **fields: Any) -> ClaimedJob:
        a_member(store, "a", **fields)
        a_session(store)
        (job,) = claim(store).jobs
        return job

    def dies(self, store: Store) -> None:
        finish(store, self.claimed_member(store), "dead_letter", reason="failed")

    def is_cancelled(self, store: Store) -> None:
        store.cancel(a_member(store, "a"), now_ms=NOW)

    def is_cancelled_while_it_runs(self, store: Store) -> None:
        job = self.claimed_member(store)
        store.cancel("a", now_ms=NOW)
        finish(store, job, "cancel")

    def is_a_step_that_completes_though_it_was_cancelled(self, store: Store) -> None:
        a_member(store, "a", is_member=False)
        a_session(store)
        (job,) = claim(store).jobs
        store.cancel("a", now_ms=NOW)
        finish(store, job, "complete", follow_ups=[a_job("b", group="g", is_member=True)])

    def is_cancelled_and_its_worker_leaves(self, store: Store) -> None:
        self.claimed_member(store)
        store.cancel("a", now_ms=NOW)
        store.close_session("s1", now_ms=NOW)

    def expires(self, store: Store) -> None:
        a_member(store, "a", expires_in_ms=5)
        a_session(store)
        claim(store, now_ms=NOW + 5)

    def kills_its_workers(self, store: Store) -> None:
        self.claimed_member(store, max_crashes=1)
        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

    def cannot_run(self, store: Store) -> None:
        a_member(store, "a", dead_reason="not_json")

    def is_an_early_step_that_dies(self, store: Store) -> None:
        finish(store, self.claimed_member(store, is_member=False), "dead_letter", reason="failed")

    @pytest.mark.parametrize(
        "end",
        [
            dies,
            is_cancelled,
            is_cancelled_while_it_runs,
            is_a_step_that_completes_though_it_was_cancelled,
            is_cancelled_and_its_worker_leaves,
            expires,
            kills_its_workers,
            cannot_run,
            is_an_early_step_that_dies,
        ],
    )
    def test_callbacks_are_created_dead(
        self, store: Store, reads: Queries, end: Callable[["TestFailedGroups", Store], None]
    ):
        end(self, store)

        for id in ("cb1", "cb2"):
            job = reads.job(id)
            assert job is not None
            assert (job.state, job.reason) == (State.DEAD, "group_failed")
        assert set(ids(store, store.keys.final("dead"))) >= {"cb1", "cb2"}
        assert reads.totals("work")["dead"] >= 2

    def test_second_failure_changes_nothing(self, store: Store):
        a_member(store, "b")
        self.is_cancelled(store)
        before = fields_of(store, "cb1")
        store.cancel("b", now_ms=NOW + 5)
        assert fields_of(store, "cb1") == before

    def test_member_that_is_retried_fails_nothing(self, store: Store):
        finish(store, self.claimed_member(store), "retry", reason="retry", delay_ms=5)
        assert fields_of(store, "cb1") == {}

    def test_damaged_group_keeps_no_job_from_its_end(self, store: Store):
        a_member(store, "a")
        store.client.hset(store.keys.group("g"), "callbacks", "3:ab")
        assert store.cancel("a", now_ms=NOW) == "cancelled"
        store.client.delete(store.keys.group("g"))
        store.client.set(store.keys.group("g"), "of another type")
        a_member(store, "b")
        assert store.cancel("b", now_ms=NOW) == "cancelled"
