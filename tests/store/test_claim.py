"""claim: queued jobs go to one session at a time, due ones promoted first."""

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
    crashed,
    fields_of,
    finish,
    ids,
    is_marked,
    out_of_memory,
    running,
    submitted,
    take_mark,
)
from worker_service.jobs.errors import StoreFull
from worker_service.jobs.states import State
from worker_service.store import Claim, Queries, SessionLost, Store


def names(claim: Claim) -> list[str]:
    return [job.id for job in claim.jobs]


class TestHandOut:
    def test_job_is_running_under_a_token_of_its_own(self, store: Store):
        submitted(store, "one", max_attempts=4)
        a_session(store)

        (job,) = claim(store).jobs

        assert (job.id, job.token, job.queue) == ("one", "s1:1", "default")
        assert (job.attempts, job.crashes, job.max_attempts) == (0, 0, 4)
        assert running(store) == {"one": "s1:1"}
        record = fields_of(store, "one")
        assert (record["state"], record["token"], record["started_at"]) == ("running", "s1:1", str(NOW))
        assert ids(store, store.keys.ready("default")) == []

    def test_every_delivery_has_the_next_number(self, store: Store):
        job = claimed(store, "one")
        finish(store, job, "hand_back")

        (again,) = claim(store).jobs

        assert again.token == "s1:2"

    @pytest.mark.parametrize(
        "message", [b'{"args":[9007199254740993,[],{}]}', b"\xff\x00\r\n", b"x" * 70_000]
    )
    def test_message_arrives_byte_for_byte(self, store: Store, message: bytes):
        submitted(store, message=message)
        a_session(store)

        (job,) = claim(store).jobs

        assert job.message == message

    def test_job_goes_to_one_session_only(self, store: Store):
        submitted(store, "one")
        a_session(store, "s1")
        a_session(store, "s2")

        assert names(claim(store, session="s1")) == ["one"]
        assert names(claim(store, session="s2")) == []

    def test_at_most_n_are_taken(self, store: Store):
        store.submit([a_job(f"job-{number}") for number in range(5)], now_ms=NOW)
        a_session(store)

        found = claim(store, 3)

        assert names(found) == ["job-0", "job-1", "job-2"]
        assert found.more

    def test_more_than_a_hundred_are_taken_in_order(self, store: Store):
        store.submit([a_job(f"job-{number:03}") for number in range(250)], now_ms=NOW)
        a_session(store)

        assert names(claim(store, 230)) == [f"job-{number:03}" for number in range(230)]

    def test_session_without_lease_claims_nothing(self, store: Store):
        submitted(store)
        before = contents(store)

        with pytest.raises(SessionLost):
            claim(store, session="never")

        assert contents(store) == before

    def test_started_and_waited_are_counted(self, store: Store, reads: Queries):
        submitted(store, now_ms=NOW - 30)
        a_session(store)

        claim(store)

        totals = reads.totals("work")
        assert (totals["started"], totals["wait_ms"], totals["wait_le_50"]) == (1, 30, 1)


class TestOrder:
    def test_priority_comes_first_then_arrival(self, store: Store):
        for id, priority in [("c", 0), ("d", 0), ("a", -5), ("e", 7), ("b", -1)]:
            submitted(store, id, priority=priority)
        a_session(store)

        assert [names(claim(store, 1))[0] for _ in range(5)] == ["a", "b", "c", "d", "e"]

    def test_queues_are_emptied_in_the_order_they_are_named(self, store: Store):
        submitted(store, "a", queue="low", priority=-100)
        submitted(store, "b", queue="high")
        a_session(store)

        found = claim(store, queues=["high", "low"])

        assert [(job.id, job.queue) for job in found.jobs] == [("b", "high"), ("a", "low")]

    def test_queue_not_named_is_left_alone(self, store: Store):
        submitted(store, queue="other")
        a_session(store)

        assert claim(store).jobs == []
        assert is_marked(store, "other")


class TestRepeated:
    def test_same_nonce_returns_the_same_jobs_and_changes_nothing(self, store: Store):
        store.submit([a_job("a"), a_job("b"), a_job("c")], now_ms=NOW)
        a_session(store)
        first = claim(store, 2, nonce="7")
        before = contents(store)

        again = claim(store, 2, nonce="7", now_ms=NOW + 1)

        assert again.jobs == first.jobs
        assert again.more  # it did not look
        assert contents(store) == before

    def test_same_nonce_leaves_out_what_has_ended(self, store: Store):
        store.submit([a_job("a"), a_job("b"), a_job("c")], now_ms=NOW)
        a_session(store)
        a, b, _ = claim(store, nonce="7").jobs
        finish(store, a, "complete")
        finish(store, b, "hand_back")

        assert names(claim(store, nonce="7")) == ["c"]

    def test_same_nonce_leaves_out_what_another_claim_took(self, store: Store):
        job = claimed(store, "a")
        finish(store, job, "hand_back")
        claim(store, nonce="8")

        assert names(claim(store, nonce="8")) == ["a"]
        assert names(claim(store, nonce="9")) == []

    def test_lower_number_than_the_last_gets_nothing(self, store: Store):
        """It was sent over a connection that has been given up since."""
        a_session(store)
        for id in ("a", "b"):
            submitted(store, id)
        assert names(claim(store, 1, nonce="9")) == ["a"]
        before = contents(store)
        assert claim(store, 1, nonce="8") == Claim([], None, False)
        assert contents(store) == before
        assert names(claim(store, 1, nonce="10")) == ["b"]

    def test_next_nonce_takes_the_next_jobs(self, store: Store):
        store.submit([a_job("a"), a_job("b")], now_ms=NOW)
        a_session(store)

        assert names(claim(store, 1, nonce="1")) == ["a"]
        assert names(claim(store, 1, nonce="2")) == ["b"]

    def test_nonces_of_two_sessions_do_not_meet(self, store: Store):
        store.submit([a_job("a"), a_job("b")], now_ms=NOW)
        a_session(store, "s1")
        a_session(store, "s2")

        assert names(claim(store, 1, session="s1", nonce="1")) == ["a"]
        assert names(claim(store, 1, session="s2", nonce="1")) == ["b"]


class TestDue:
    def test_due_job_is_promoted_and_claimed(self, store: Store):
        submitted(store, "one", delay_ms=500)
        a_session(store)

        assert names(claim(store, now_ms=NOW + 499)) == []
        assert names(claim(store, now_ms=NOW + 500)) == ["one"]

        assert "wait_reason" not in fields_of(store, "one")
        assert ids(store, store.keys.due("default")) == []

    def test_promoted_job_stands_behind_those_that_arrived_before(self, store: Store):
        submitted(store, "later", delay_ms=500)
        submitted(store, "now")
        submitted(store, "urgent", delay_ms=500, priority=-1)
        a_session(store)

        assert names(claim(store, now_ms=NOW + 500)) == ["urgent", "now", "later"]

    def test_due_jobs_are_promoted_in_order_of_their_instants(self, store: Store):
        for id, delay in [("c", 300), ("a", 100), ("b", 200)]:
            submitted(store, id, delay_ms=delay)
        a_session(store)

        assert names(claim(store, now_ms=NOW + 300)) == ["a", "b", "c"]

    def test_claim_tells_when_the_next_one_is_due(self, store: Store):
        submitted(store, delay_ms=900)
        submitted(store, delay_ms=700, queue="other")
        a_session(store)

        assert claim(store).next_due_ms == 900
        assert claim(store, queues=["default", "other"]).next_due_ms == 700
        assert claim(store, now_ms=NOW + 800).next_due_ms == 100

    def test_claim_tells_none_when_nothing_is_scheduled(self, store: Store):
        submitted(store)
        a_session(store)

        assert claim(store).next_due_ms is None

    def test_a_crowd_of_due_jobs_is_promoted_in_slices(self, store: Store):
        store.submit([a_job(f"job-{number:02}", delay_ms=5) for number in range(40)], now_ms=NOW)
        a_session(store)

        found = claim(store, 1, now_ms=NOW + 5)

        assert names(found) == ["job-00"]
        assert len(ids(store, store.keys.ready("default"))) == 17  # 2n + 16 were promoted, one was taken
        assert found.next_due_ms == 0
        assert is_marked(store)
        assert names(claim(store, 100, now_ms=NOW + 5)) == [f"job-{number:02}" for number in range(1, 40)]


class TestExpiry:
    def test_job_past_its_deadline_is_never_claimed(self, store: Store, reads: Queries):
        submitted(store, "late", expires_in_ms=100)
        submitted(store, "next")
        a_session(store)

        found = claim(store, 1, now_ms=NOW + 100)

        assert names(found) == ["next"]
        record = fields_of(store, "late")
        assert (record["state"], record["finished_at"]) == ("expired", str(NOW + 100))
        assert ids(store, store.keys.final("expired")) == ["late"]
        assert reads.totals("work")["expired"] == 1

    def test_job_before_its_deadline_is_claimed(self, store: Store):
        submitted(store, "one", expires_in_ms=100)
        a_session(store)

        assert names(claim(store, now_ms=NOW + 99)) == ["one"]

    def test_scheduled_job_that_is_claimed_after_its_deadline_expires(self, store: Store):
        submitted(store, "one", delay_ms=50, expires_in_ms=100)
        a_session(store)

        claim(store, now_ms=NOW + 200)

        assert fields_of(store, "one")["state"] == "expired"

    @pytest.mark.parametrize("verb", ["retry", "snooze"])
    def test_job_that_was_started_in_time_does_not_expire(self, store: Store, verb: str):
        job = claimed(store, expires_in_ms=100)
        finish(store, job, verb, delay_ms=200, reason=verb)
        assert names(claim(store, now_ms=NOW + 200)) == [job.id]

    @pytest.mark.parametrize("field", ["attempts", "crashes", "max_attempts", "snoozes", "snoozed_ms"])
    @pytest.mark.parametrize("value", ["1e0", "nan", "3.5", "-1", "x", ""])
    def test_number_that_is_none_is_buried_and_stops_nobody(self, store: Store, field: str, value: str):
        submitted(store, "bad")
        submitted(store, "good")
        store.client.hset(store.keys.job("bad"), field, value)
        a_session(store)
        assert names(claim(store)) == ["good"]
        assert fields_of(store, "bad")["state"] == "dead"

    def test_wait_of_a_job_wanted_in_the_past_counts_from_its_creation(self, store: Store, reads: Queries):
        submitted(store, run_at_ms=NOW - 1_000_000)
        a_session(store)
        claim(store, now_ms=NOW + 7)
        assert reads.totals("work")["wait_ms"] == 7

    def test_a_crowd_of_expired_jobs_is_dropped_in_slices(self, store: Store):
        store.submit([a_job(expires_in_ms=5) for _ in range(400)], now_ms=NOW)
        submitted(store, "good")
        a_session(store)

        first = claim(store, now_ms=NOW + 5)

        assert first.more
        assert is_marked(store)
        assert 50 <= len(ids(store, store.keys.final("expired"))) <= 200
        rest = [claim(store, now_ms=NOW + 5) for _ in range(8)]
        assert not rest[-1].more
        assert [id for found in rest for id in names(found)] == ["good"]


class TestWakeMark:
    def test_it_is_removed_when_the_queue_is_drained(self, store: Store):
        submitted(store)
        a_session(store)

        claim(store)

        assert not is_marked(store)

    def test_it_is_set_when_a_claim_got_all_it_asked_for(self, store: Store):
        store.submit([a_job(), a_job()], now_ms=NOW)
        a_session(store)
        take_mark(store)

        assert claim(store, 1).more

        assert is_marked(store)

    def test_it_is_not_set_by_a_full_claim_that_left_nothing(self, store: Store):
        submitted(store)
        a_session(store)

        assert not claim(store, 1).more

        assert not is_marked(store)

    def test_it_is_set_by_a_full_claim_when_another_job_is_due_later(self, store: Store):
        submitted(store)
        submitted(store, delay_ms=60_000)
        a_session(store)

        claim(store, 1)

        assert is_marked(store)  # this process has no idle thread: somebody else should wait for that instant

    def test_it_is_removed_when_the_claimer_itself_waits_for_the_instant(self, store: Store):
        submitted(store, delay_ms=60_000)
        a_session(store)

        assert claim(store, 1).next_due_ms == 60_000

        assert not is_marked(store)

    def test_queues_are_judged_one_by_one(self, store: Store):
        submitted(store, queue="a")
        submitted(store, queue="b")
        a_session(store)

        claim(store, 1, queues=["a", "b"])

        assert not is_marked(store, "a")
        assert is_marked(store, "b")


class TestBell:
    def test_it_rings_when_asked_for_and_fewer_were_found(self, store: Store):
        submitted(store)
        a_session(store)

        claim(store, 2, ring=True)

        assert store.client.exists(store.keys.bell("s1"))

    @pytest.mark.parametrize(("n", "ring"), [(1, True), (2, False)])
    def test_it_is_silent_otherwise(self, store: Store, n: int, ring: bool):
        submitted(store)
        a_session(store)

        claim(store, n, ring=ring)

        assert not store.client.exists(store.keys.bell("s1"))


class TestSuspects:
    def test_one_job_with_an_earlier_crash_is_taken_at_a_time(self, store: Store):
        for id in ["a", "b"]:
            crashed(store, id)
        submitted(store, "c")
        a_session(store)

        found = claim(store, suspects=1)

        assert sorted(names(found)) == ["a", "c"]
        assert [job.crashes for job in found.jobs if job.id == "a"] == [1]

    def test_none_is_taken_while_one_runs(self, store: Store):
        crashed(store, "a")
        submitted(store, "b")
        a_session(store)

        assert names(claim(store, suspects=0)) == ["b"]

    def test_the_others_wait_a_moment_for_any_process(self, store: Store):
        crashed(store, "a")
        a_session(store, "s1")
        a_session(store, "s2")

        found = claim(store, session="s1", suspects=0)

        assert found.jobs == []
        assert found.next_due_ms == 250
        assert fields_of(store, "a")["state"] == "retrying"
        assert names(claim(store, session="s2", suspects=1, now_ms=NOW + 250)) == ["a"]

    def test_another_process_is_told_of_those_that_wait(self, store: Store):
        crashed(store, "a")
        a_session(store)

        claim(store, suspects=0)

        assert is_marked(store)

    def test_a_crowd_of_them_is_put_off_in_slices(self, store: Store):
        store.submit([a_job() for _ in range(400)], now_ms=NOW)
        for id in ids(store, store.keys.ready("default")):
            store.client.hset(store.keys.job(id), "crashes", 1)
        a_session(store)

        found = claim(store, suspects=0)

        assert found.more
        assert 50 <= len(ids(store, store.keys.due("default"))) <= 200


class TestLastChance:
    """A job that the next crash would end is claimed alone, so that it is not taken for what others do."""

    def test_nothing_is_taken_beside_it(self, store: Store):
        crashed(store, "a", times=2, max_crashes=3, priority=-1)
        submitted(store, "b")
        a_session(store)

        found = claim(store)

        assert [(job.id, job.runs_alone) for job in found.jobs] == [("a", True)]
        assert found.more
        assert is_marked(store)
        assert ids(store, store.keys.ready("default")) == ["b"]
        assert claim(store, nonce="again").jobs[0].runs_alone is False

    def test_behind_others_it_ends_the_claim_and_the_next_one_begins_with_it(self, store: Store):
        crashed(store, "b", times=2, max_crashes=3, priority=-1)
        submitted(store, "a", priority=-2)
        places = [submitted(store, id) for id in ("c", "d")]
        a_session(store)

        assert names(claim(store)) == ["a"]
        assert ids(store, store.keys.ready("default")) == ["b", *places]
        assert is_marked(store)
        assert names(claim(store)) == ["b"]
        assert names(claim(store)) == ["c", "d"]

    def test_nor_is_anything_taken_from_other_queues(self, store: Store):
        crashed(store, "b", times=2, max_crashes=3)
        submitted(store, "a", queue="first")
        submitted(store, "c", queue="third", delay_ms=5)
        a_session(store)

        queues = ("first", "default", "third")
        assert names(claim(store, queues=queues, now_ms=NOW + 5)) == ["a"]
        assert names(claim(store, queues=("default", "third", "first"), now_ms=NOW + 5)) == ["b"]
        assert is_marked(store, "third")
        assert names(claim(store, queues=queues, now_ms=NOW + 5)) == ["c"]

    def test_repeated_claim_says_so_again(self, store: Store):
        crashed(store, "a", times=2, max_crashes=3)
        a_session(store)

        first = claim(store, nonce="1")

        assert claim(store, nonce="1").jobs == first.jobs
        assert first.jobs[0].runs_alone

    def test_it_is_put_off_while_another_suspect_runs(self, store: Store):
        crashed(store, "a", times=2, max_crashes=3)
        submitted(store, "b")
        a_session(store)

        assert names(claim(store, suspects=0)) == ["b"]

    def test_one_that_may_crash_again_has_company(self, store: Store):
        crashed(store, "a", times=1, max_crashes=3)
        submitted(store, "b")
        a_session(store)

        assert [(job.id, job.runs_alone) for job in claim(store).jobs] == [("b", False), ("a", False)]


class TestDamagedRecord:
    """One that cannot be read is buried; the others of the same claim are handed out."""

    @pytest.fixture(params=["ready", "due"])
    def waits(self, store: Store, request: pytest.FixtureRequest) -> None:
        """Three jobs, the second of which gets damaged; waiting in one of the two places."""
        delay = {"delay_ms": 10} if request.param == "due" else {}
        store.submit([a_job(id, **delay) for id in ("a", "bad", "c")], now_ms=NOW)
        a_session(store)

    def claim_all(self, store: Store) -> list[str]:
        found = claim(store, nonce="7", now_ms=NOW + 10)
        assert names(claim(store, nonce="7", now_ms=NOW + 10)) == names(found)
        return names(found)

    @pytest.mark.parametrize("kind", ["job", "msg"])
    def test_wrong_type_of_a_key(self, store: Store, waits: None, kind: str):
        key = getattr(store.keys, kind)("bad")
        store.client.delete(key)
        store.client.lpush(key, "x")

        assert self.claim_all(store) == ["a", "c"]

        assert ids(store, store.keys.final("dead")) == ["bad"]
        assert sorted(running(store)) == ["a", "c"]
        assert ids(store, store.keys.ready("default")) == ids(store, store.keys.due("default")) == []

    def test_message_is_missing(self, store: Store, reads: Queries, waits: None):
        store.client.delete(store.keys.msg("bad"))

        assert self.claim_all(store) == ["a", "c"]

        found = reads.job("bad")
        assert found is not None
        assert (found.state, found.reason) == (State.DEAD, "damaged_record")
        assert "token" not in fields_of(store, "bad")
        assert ids(store, store.keys.final("dead")) == ["bad"]
        assert sorted(running(store)) == ["a", "c"]

    def test_record_is_missing(self, store: Store, waits: None):
        store.client.delete(store.keys.job("bad"))

        assert self.claim_all(store) == ["a", "c"]

        assert sorted(running(store)) == ["a", "c"]
        assert ids(store, store.keys.ready("default")) == ids(store, store.keys.due("default")) == []

    @pytest.mark.parametrize("name", ["actor", "priority", "created_at", "max_attempts"])
    def test_a_field_is_missing(self, store: Store, waits: None, name: str):
        store.client.hdel(store.keys.job("bad"), name)

        taken = self.claim_all(store)

        assert [id for id in taken if id != "bad"] == ["a", "c"]
        assert sorted(running(store)) == sorted(taken)
        assert ("bad" in taken) != (ids(store, store.keys.final("dead")) == ["bad"])

    @pytest.mark.parametrize("damage", ["job", "msg", "queue", "max_attempts"])
    def test_one_that_was_damaged_after_its_claim_is_left_out_of_the_repeated_reply(
        self, store: Store, damage: str
    ):
        store.submit([a_job(id) for id in ("a", "bad", "c")], now_ms=NOW)
        a_session(store)
        claim(store, nonce="7")
        if damage in ("job", "msg"):
            key = getattr(store.keys, damage)("bad")
            store.client.delete(key)
            store.client.set(key, "x") if damage == "job" else store.client.lpush(key, "x")
        else:
            store.client.hdel(store.keys.job("bad"), damage)

        assert names(claim(store, nonce="7")) == ["a", "c"]

        assert sorted(running(store)) == ["a", "c"]
        assert ids(store, store.keys.final("dead")) == ["bad"]

    def test_who_waits_for_a_buried_job_is_told(self, store: Store, waits: None):
        store.client.delete(store.keys.msg("bad"))
        store.client.set(store.keys.watch, 1)
        with store.client.pubsub() as subscription:
            subscription.subscribe(store.keys.event("bad"))
            subscription.get_message(timeout=5)

            self.claim_all(store)

            told = []
            while message := subscription.get_message(timeout=0.2):
                told.append(message["data"])
        assert told[-1] == b"dead"


def test_full_server_refuses_claims_and_nothing_changes(limited: Store):
    submitted(limited, "one")
    submitted(limited, "due", delay_ms=1)
    a_session(limited)
    before = contents(limited)

    with out_of_memory(limited.client):
        with pytest.raises(StoreFull):
            claim(limited, nonce="1", now_ms=NOW + 1)
        assert contents(limited) == before

    assert names(claim(limited, nonce="1", now_ms=NOW + 1)) == ["one", "due"]


def test_full_server_repeats_the_reply_of_a_claim(limited: Store):
    submitted(limited, "one", message=a_message("one"))
    a_session(limited)
    first = claim(limited, nonce="1")

    with out_of_memory(limited.client):
        assert claim(limited, nonce="1").jobs == first.jobs


def test_job_of_a_rescued_session_is_not_repeated_to_it(store: Store):
    submitted(store, "one")
    a_session(store)
    claim(store, nonce="1")
    store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

    with pytest.raises(SessionLost):
        claim(store, nonce="1")
