"""Uniqueness: one job does a piece of work at a time."""

from typing import Any

import pytest

from tests.store.builders import (
    LEASE,
    NOW,
    RUN_ID,
    a_job,
    a_message,
    a_schedule,
    a_session,
    claim,
    claimed,
    contents,
    fields_of,
    finish,
    fire,
    ids,
    is_marked,
    out_of_memory,
    outcome,
    submitted,
    take_mark,
    words,
)
from worker_service.jobs.states import State
from worker_service.store import Idempotency, Lock, Queries, Store, Submitted

END = NOW + 1000


def lock(until: str = "done", on_conflict: str = "return", **fields: Any) -> Lock:
    return Lock("work", until, on_conflict, **fields)


def ask(
    store: Store, on_conflict: str = "return", *, at: int = NOW, until: str = "done", **fields: Any
) -> Submitted:
    """Ask for the same work once more."""
    job = a_job(**{"lock": lock(until, on_conflict, max_wait_ms=fields.pop("max_wait_ms", None)), **fields})
    (answer,) = store.submit([job], now_ms=at)
    return answer


def owner(store: Store) -> str | None:
    """Who holds the lock, by lock and record."""
    found = store.client.hget(store.keys.unique("work"), "owner")
    if not isinstance(found, bytes):
        return None
    assert fields_of(store, found.decode()).get("holds") == "work"
    return found.decode()


def jobs_in(store: Store) -> int:
    return int(store.client.zcard(store.keys.jobs))


class TestConflict:
    def test_the_job_that_is_there_is_answered(self, store: Store):
        id = submitted(store, lock=lock())
        answer = ask(store, at=NOW + 5)
        assert answer == Submitted("duplicate", NOW, id, "work", "default", "queued")
        assert jobs_in(store) == 1

    def test_other_work_is_not_concerned(self, store: Store):
        submitted(store, lock=lock())
        submitted(store, lock=Lock("other", "done"))
        submitted(store)
        assert jobs_in(store) == 3

    def test_rejected_one_leaves_no_trace_but_in_the_counters(self, store: Store, reads: Queries):
        id = submitted(store, lock=lock())
        total = store.keys.total("work")
        before = {key: value for key, value in contents(store).items() if ":m:" not in key and key != total}
        assert ask(store, "reject").id == id
        assert ask(store, "reject", idempotency=Idempotency("k", "f", 1000)).word == "rejected"
        after = {key: value for key, value in contents(store).items() if ":m:" not in key and key != total}
        assert after == before
        assert reads.totals("work")["duplicates"] == 2

    def test_duplicate_is_remembered_under_its_idempotency_key(self, store: Store):
        id = submitted(store, lock=lock())
        key = Idempotency("k", "f", 60_000)
        assert ask(store, idempotency=key).word == "duplicate"
        store.cancel(id, now_ms=NOW)
        assert ask(store, idempotency=key) == Submitted("replayed", NOW, id, "work", "default", "cancelled")

    def test_repeated_call_finds_its_own_job(self, store: Store):
        job = a_job(lock=lock(on_conflict="reject"))
        assert words(store.submit([job], now_ms=NOW)) == ["created"]
        assert words(store.submit([job], now_ms=NOW)) == ["exists"]
        assert owner(store) == job.id

    def test_two_of_one_batch_are_one(self, store: Store):
        batch = [a_job(lock=lock()), a_job(lock=lock())]
        assert words(store.submit(batch, now_ms=NOW)) == ["created", "duplicate"]


class TestTerm:
    """until: when the next job may do the work."""

    @pytest.mark.parametrize(
        ("until", "verb", "free"),
        [
            ("start", "complete", True),
            ("done", "complete", True),
            ("done", "dead_letter", True),
            ("done", "cancel", True),
            ("success", "complete", True),
            ("success", "cancel", True),
            ("success", "dead_letter", False),
            ("60000", "complete", False),
        ],
    )
    def test_end_of_the_job_frees_the_work_or_not(self, store: Store, until: str, verb: str, free: bool):
        job = claimed(store, lock=lock(until))
        finish(store, job, verb, error="{}")
        assert ask(store, until=until).word == ("created" if free else "duplicate")

    @pytest.mark.parametrize("until", ["done", "success"])
    @pytest.mark.parametrize("verb", ["retry", "snooze", "hand_back"])
    def test_job_that_runs_again_keeps_its_work(self, store: Store, until: str, verb: str):
        job = claimed(store, lock=lock(until))
        assert ask(store).word == "duplicate"
        finish(store, job, verb, delay_ms=10)
        assert ask(store).word == "duplicate"
        (again,) = claim(store, now_ms=NOW + 10).jobs
        assert again.id == job.id
        assert owner(store) == job.id

    def test_start_frees_the_work_and_a_retry_does_not_take_it_back(self, store: Store):
        first = claimed(store, lock=lock("start"))
        second = submitted(store, lock=lock("start"))
        assert finish(store, first, "retry", delay_ms=0) == "done"
        assert {job.id for job in claim(store).jobs} == {first.id, second}

    def test_crash_keeps_it_and_death_by_crashes_frees_it(self, store: Store):
        job = claimed(store, lock=lock(), max_crashes=2)
        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)
        assert ask(store).word == "duplicate"
        a_session(store, "s2", now_ms=NOW + 600)
        claim(store, session="s2", now_ms=NOW + 600)
        store.rescue(LEASE, RUN_ID, session="s2", now_ms=NOW + 600)
        assert fields_of(store, job.id)["state"] == "dead"
        assert ask(store).word == "created"

    def test_cancelled_or_expired_before_its_start_it_frees_the_work(self, store: Store):
        store.cancel(submitted(store, lock=lock()), now_ms=NOW)
        late = submitted(store, lock=lock(), expires_in_ms=5)
        a_session(store)
        claim(store, now_ms=NOW + 5)
        assert fields_of(store, late)["state"] == "expired"
        assert ask(store).word == "created"

    def test_window_ends_by_itself_and_not_before(self, store: Store):
        job = claimed(store, lock=lock("60000"))
        finish(store, job, "complete")
        store.prune({"succeeded": (0, 0)}, now_ms=NOW + 1)
        assert ask(store, until="60000") == Submitted("duplicate", 0, job.id, "", "", "pruned")
        left: Any = store.client.pttl(store.keys.unique("work"))
        assert 50_000 < left <= 60_000
        store.client.pexpire(store.keys.unique("work"), 0)
        assert ask(store, until="60000").word == "created"

    @pytest.mark.parametrize("end", ["prune", "replay"])
    def test_dead_owner_bars_the_work_until_somebody_decides(self, store: Store, end: str):
        job = claimed(store, lock=lock("success"))
        finish(store, job, "dead_letter")
        assert ask(store, until="success").word == "duplicate"
        if end == "prune":
            store.prune({"dead": (0, 0)}, now_ms=NOW + 1)
            assert ask(store, until="success").word == "created"
        else:
            assert store.replay([job.id], "n1", now_ms=NOW) == ["replayed"]
            (again,) = claim(store).jobs
            finish(store, again, "complete")
            assert ask(store, until="success").word == "created"

    @pytest.mark.parametrize("damage", ["owner gone", "owner finished", "lock gone"])
    def test_lock_that_only_one_side_knows_is_void(self, store: Store, damage: str):
        id = submitted(store, lock=lock())
        if damage == "owner gone":
            store.client.delete(store.keys.job(id))
        elif damage == "owner finished":
            store.client.hdel(store.keys.job(id), "holds")
        else:
            store.client.delete(store.keys.unique("work"))
        assert ask(store).word == "created"

    def test_damaged_lock_holds_up_no_end(self, store: Store):
        job = claimed(store, lock=lock())
        store.client.delete(store.keys.unique("work"))
        store.client.set(store.keys.unique("work"), "x")
        assert finish(store, job, "complete") == "done"


class TestReplay:
    def test_it_takes_the_work_again(self, store: Store):
        job = claimed(store, lock=lock())
        finish(store, job, "dead_letter")
        assert owner(store) is None
        assert store.replay([job.id], "n1", now_ms=NOW) == ["replayed"]
        assert owner(store) == job.id

    def test_it_is_refused_while_another_job_does_the_work(self, store: Store, reads: Queries):
        job = claimed(store, lock=lock())
        finish(store, job, "dead_letter")
        other = submitted(store, lock=lock())
        before = contents(store)
        assert store.replay([job.id], "n1", now_ms=NOW) == ["locked"]
        assert reads.owner("work") == other
        assert contents(store) == before

    def test_window_begins_anew_unless_it_goes_on(self, store: Store):
        job = claimed(store, lock=lock("60000"))
        finish(store, job, "dead_letter")
        store.client.pexpire(store.keys.unique("work"), 5_000)
        store.replay([job.id], "n1", now_ms=NOW)
        assert store.client.pttl(store.keys.unique("work")) <= 5_000
        store.cancel(job.id, now_ms=NOW)
        store.client.delete(store.keys.unique("work"))
        store.replay([job.id], "n2", now_ms=NOW)
        assert store.client.pttl(store.keys.unique("work")) > 5_000


class TestReplace:
    @pytest.mark.parametrize("kind", ["queued", "scheduled"])
    @pytest.mark.parametrize("on_conflict", ["replace", "keep_last"])
    def test_waiting_job_gets_the_new_arguments_and_keeps_its_place(
        self, store: Store, kind: str, on_conflict: str
    ):
        id = submitted(store, lock=lock(), delay_ms=500 if kind == "scheduled" else None)
        message = a_message("new", 42)
        answer = ask(store, on_conflict, message=message, delay_ms=9_000)
        assert (answer.word, answer.id, answer.state) == ("replaced", id, kind)
        a_session(store, "s2")
        (found,) = claim(store, session="s2", now_ms=NOW + 500).jobs
        assert (found.id, found.message) == (id, message)
        assert jobs_in(store) == 1

    @pytest.mark.parametrize("verb", ["", "retry", "snooze", "hand_back"])
    @pytest.mark.parametrize("on_conflict", ["replace", "debounce"])
    def test_job_that_was_started_cannot_be_changed(self, store: Store, on_conflict: str, verb: str):
        job = claimed(store, lock=lock())
        if verb:
            finish(store, job, verb, delay_ms=500)
        answer = ask(store, on_conflict, delay_ms=5)
        assert (answer.word, answer.id) == ("rejected", job.id)
        assert jobs_in(store) == 1

    @pytest.mark.parametrize("on_conflict", ["replace", "debounce", "keep_last"])
    def test_job_of_another_actor_is_not_given_this_one_s_message(self, store: Store, on_conflict: str):
        id = submitted(store, lock=lock())
        answer = ask(store, on_conflict, actor="other", delay_ms=5)
        assert answer.word == ("follows" if on_conflict == "keep_last" else "rejected")
        a_session(store)
        (found,) = claim(store).jobs
        assert (found.id, found.message) == (id, a_message(id))

    def test_head_of_a_pipeline_keeps_what_follows_it(self, store: Store):
        id = submitted(store, lock=lock(is_fixed=True))
        answer = ask(store, "replace")
        assert (answer.word, answer.id) == ("rejected", id)


class TestDebounce:
    def test_each_one_pushes_it_back(self, store: Store):
        id = submitted(store, lock=lock(on_conflict="debounce"), delay_ms=1_000)
        for at in (800, 1_600):
            assert ask(store, "debounce", at=NOW + at, delay_ms=1_000).word == "replaced"
        a_session(store)
        assert claim(store, now_ms=NOW + 2_599).jobs == []
        assert [job.id for job in claim(store, now_ms=NOW + 2_600).jobs] == [id]

    def test_not_past_its_longest_wait(self, store: Store):
        id = submitted(store, lock=lock(on_conflict="debounce", max_wait_ms=1_500), delay_ms=1_000)
        ask(store, "debounce", at=NOW + 900, delay_ms=1_000, max_wait_ms=1_500)
        a_session(store)
        assert [job.id for job in claim(store, now_ms=NOW + 1_500).jobs] == [id]

    def test_one_that_may_be_claimed_already_waits_again(self, store: Store):
        id = submitted(store, lock=lock(on_conflict="debounce"))
        ask(store, "debounce", delay_ms=1_000)
        assert fields_of(store, id)["state"] == "scheduled"
        assert ids(store, store.keys.ready("default")) == []
        a_session(store)
        assert claim(store, now_ms=NOW + 999).jobs == []
        assert [job.id for job in claim(store, now_ms=NOW + 1_000).jobs] == [id]

    @pytest.mark.parametrize(("expires_in", "expires"), [(None, None), (9_000, NOW + 9_000)])
    def test_its_deadline_is_that_of_the_newest_request(
        self, store: Store, expires_in: int | None, expires: int | None
    ):
        id = submitted(store, lock=lock(on_conflict="debounce"), delay_ms=300, expires_in_ms=1_000)
        ask(store, "debounce", delay_ms=2_500, expires_in_ms=expires_in)
        assert fields_of(store, id).get("expires_at") == (None if expires is None else str(expires))
        a_session(store)
        assert [job.id for job in claim(store, now_ms=NOW + 2_500).jobs] == [id]


class TestDeadline:
    @pytest.mark.parametrize("on_conflict", ["return", "reject", "replace", "debounce", "keep_last"])
    @pytest.mark.parametrize("delay_ms", [None, 5_000])
    def test_owner_past_its_deadline_is_no_answer(self, store: Store, on_conflict: str, delay_ms: int | None):
        old = submitted(store, lock=lock(), delay_ms=delay_ms, expires_at_ms=NOW + 9_000)
        answer = ask(store, on_conflict, at=NOW + 9_000, id="new")
        assert (answer.word, answer.id) == ("created", "")
        assert fields_of(store, old)["state"] == "expired"
        assert owner(store) == "new"

    def test_owner_that_has_begun_is_one_whatever_its_deadline_says(self, store: Store):
        job = claimed(store, lock=lock(), expires_in_ms=100)
        finish(store, job, "hand_back", reason="shutdown")
        answer = ask(store, "return", at=NOW + 9_000)
        assert (answer.word, answer.id) == ("duplicate", job.id)

    def test_follower_past_its_deadline_is_not_replaced(self, store: Store):
        claimed(store, lock=lock(on_conflict="keep_last"))
        assert ask(store, "keep_last", id="first", expires_in_ms=100).word == "follows"
        assert ask(store, "keep_last", at=NOW + 100, id="second").word == "follows"
        assert fields_of(store, "first")["state"] == "expired"

    def test_follower_past_its_deadline_is_no_owner_either(self, store: Store):
        job = claimed(store, lock=lock(on_conflict="keep_last"))
        ask(store, "keep_last", id="first", expires_in_ms=100)
        finish(store, job, "complete", now_ms=NOW + 200)
        assert ask(store, "return", at=NOW + 200, id="second").word == "created"
        assert owner(store) == "second"

    @pytest.mark.parametrize("on_conflict", ["replace", "keep_last"])
    @pytest.mark.parametrize(("expires_in", "expires"), [(None, None), (9_000, NOW + 9_000)])
    def test_it_is_that_of_the_newest_request(
        self, store: Store, on_conflict: str, expires_in: int | None, expires: int | None
    ):
        id = submitted(store, lock=lock(on_conflict=on_conflict), expires_in_ms=1_000)
        assert ask(store, on_conflict, expires_in_ms=expires_in).word == "replaced"
        assert fields_of(store, id).get("expires_at") == (None if expires is None else str(expires))
        assert ids(store, store.keys.deadlines) == ([] if expires is None else [id])

    def test_one_that_is_put_back_takes_the_work_of_an_overdue_owner(self, store: Store):
        first = claimed(store, "first", lock=lock())
        finish(store, first, "dead_letter")
        submitted(store, "second", lock=lock(), expires_in_ms=100)
        assert store.replay(["first"], "early", now_ms=NOW) == ["locked"]
        assert store.replay(["first"], "late", now_ms=NOW + 100) == ["replayed"]
        assert (owner(store), fields_of(store, "second")["state"]) == ("first", "expired")


class TestKeepLast:
    def test_newest_of_those_that_came_follows_the_one_that_runs(self, store: Store):
        job = claimed(store, lock=lock(on_conflict="keep_last"))
        first = ask(store, "keep_last", id="follower")
        assert first.word == "follows"
        newest = a_message("newest", 3)
        again = ask(store, "keep_last", message=newest)
        assert (again.word, again.id, again.state) == ("replaced", "follower", "scheduled")
        assert fields_of(store, "follower")["wait_reason"] == "unique"
        assert claim(store, now_ms=NOW + 10**9).jobs == []

        take_mark(store)
        finish(store, job, "complete", now_ms=END)
        assert is_marked(store)
        assert owner(store) == "follower"
        (found,) = claim(store, now_ms=END).jobs
        assert (found.id, found.message) == ("follower", newest)
        finish(store, found, "complete", now_ms=END)
        assert owner(store) is None

    def test_one_that_waits_to_run_again_is_followed_and_the_newest_runs_last(self, store: Store):
        job = claimed(store, lock=lock(on_conflict="keep_last"))
        assert ask(store, "keep_last", id="follower").word == "follows"
        finish(store, job, "retry", delay_ms=100)
        newest = a_message("newest", 3)
        again = ask(store, "keep_last", message=newest)
        assert (again.word, again.id) == ("replaced", "follower")
        (first,) = claim(store, now_ms=NOW + 100).jobs
        assert first.id == job.id
        finish(store, first, "complete", now_ms=NOW + 100)
        (second,) = claim(store, now_ms=NOW + 100).jobs
        assert (second.id, second.message) == ("follower", newest)

    def test_idle_worker_does_not_wait_for_an_instant(self, store: Store):
        claimed(store, lock=lock())
        ask(store, "keep_last")
        assert claim(store).next_due_ms is None

    def test_delayed_one_is_not_before_its_time(self, store: Store):
        job = claimed(store, lock=lock())
        ask(store, "keep_last", id="follower", delay_ms=5_000)
        finish(store, job, "complete", now_ms=END)
        assert claim(store, now_ms=NOW + 4_999).jobs == []
        assert [found.id for found in claim(store, now_ms=NOW + 5_000).jobs] == ["follower"]

    @pytest.mark.parametrize("end", ["dead_letter", "cancel", "crash", "close"])
    def test_it_follows_however_the_first_one_ends(self, store: Store, end: str):
        job = claimed(store, lock=lock(), max_crashes=1)
        ask(store, "keep_last", id="follower")
        if end == "crash":
            store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)
        elif end == "close":
            store.cancel(job.id, now_ms=NOW)
            store.close_session("s1", now_ms=NOW)
        else:
            finish(store, job, end)
        a_session(store, "s2")
        assert [found.id for found in claim(store, session="s2").jobs] == ["follower"]

    def test_cancelled_it_follows_no_more_and_another_one_may(self, store: Store):
        job = claimed(store, lock=lock())
        ask(store, "keep_last", id="first")
        assert store.cancel("first", now_ms=NOW) == "cancelled"
        assert ask(store, "keep_last", id="second").word == "follows"
        finish(store, job, "complete")
        assert owner(store) == "second"
        assert fields_of(store, "first")["state"] == "cancelled"

    def test_owner_that_is_gone_is_followed_all_the_same(self, store: Store):
        job = claimed(store, lock=lock())
        ask(store, "keep_last", id="follower")
        store.client.delete(store.keys.job(job.id))
        assert ask(store).id == "follower"
        assert owner(store) == "follower"

    def test_repeated_call_after_a_lost_reply_changes_nothing(self, store: Store):
        claimed(store, lock=lock())
        job = a_job(lock=lock(on_conflict="keep_last"))
        assert words(store.submit([job], now_ms=NOW)) == ["follows"]
        before = contents(store)
        assert words(store.submit([job], now_ms=NOW)) == ["exists"]
        assert contents(store) == before


class TestFollowUps:
    def test_conflict_is_told_in_the_log_of_the_job_it_follows(self, store: Store, reads: Queries):
        busy = submitted(store, lock=lock(), delay_ms=60_000)
        job = claimed(store)
        follow_up = a_job("never", lock=lock(on_conflict="reject"))
        assert store.finish([outcome(job, "complete", follow_ups=[follow_up])], now_ms=NOW) == ["done"]
        assert fields_of(store, "never") == {}
        (line,) = [text for _, _, text in reads.log(job.id)]
        assert line.startswith("rejected: ")
        assert busy in line

    def test_member_of_a_group_is_dead_rather_than_missing(self, store: Store):
        submitted(store, lock=lock(), delay_ms=60_000)
        callback = a_job("callback")
        store.create_group("g", 1, 60_000)
        member = a_job("member", lock=lock(), group="g", is_member=True, callbacks=(callback,))
        assert words(store.submit([member], now_ms=NOW)) == ["created"]
        assert (fields_of(store, "member")["state"], fields_of(store, "member")["reason"]) == (
            "dead",
            "duplicate",
        )
        assert fields_of(store, "callback")["reason"] == "group_failed"


class TestTick:
    def test_tick_whose_work_is_under_way_makes_no_job_and_is_not_made_up_for(self, store: Store):
        submitted(store, lock=lock())
        schedule, job = a_schedule(store), a_job(lock=lock())
        assert fire(store, schedule, NOW, job) == "skipped"
        assert fire(store, schedule, NOW, job) == "already"
        assert jobs_in(store) == 1


def test_replaced_job_ends_under_its_own_id(store: Store, reads: Queries):
    id = submitted(store, lock=lock())
    ask(store, "replace", message=a_message("another"))
    a_session(store)
    (job,) = claim(store).jobs
    finish(store, job, "complete", result="1")
    found = reads.job(id)
    assert found is not None
    assert (found.state, found.unique_key) == (State.SUCCEEDED, "work")


@pytest.mark.parametrize("on_conflict", ["replace", "debounce", "keep_last"])
def test_full_server_changes_nothing(limited: Store, on_conflict: str):
    claimed(limited, "owner", lock=lock())
    ask(limited, "keep_last", id="follower")
    before = contents(limited)
    with out_of_memory(limited.client), pytest.raises(Exception, match="memory"):
        ask(limited, on_conflict, delay_ms=5)
    assert contents(limited) == before


def test_full_server_lets_the_owner_end_and_the_next_one_follow(limited: Store):
    job = claimed(limited, lock=lock())
    ask(limited, "keep_last", id="follower")
    with out_of_memory(limited.client):
        assert finish(limited, job, "complete") == "done"
    assert owner(limited) == "follower"


@pytest.mark.parametrize("queue", ["default", "before"])
def test_claim_that_sets_a_follower_free_tells_that_it_is_due(store: Store, queue: str):
    """It had looked at what is due before, in this queue or another one."""
    ask(store, at=NOW, until="start")
    assert ask(store, "buffer", until="start", queue=queue).word == "follows"
    a_session(store)
    found = claim(store, 5, queues=["before", "default"])
    assert len(found.jobs) == 1
    assert found.next_due_ms == 0
