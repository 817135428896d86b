"""submit: jobs begin to exist, whole or not at all."""

from typing import Any

import pytest

from tests.store.builders import (
    NOW,
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
    out_of_memory,
    submitted,
    take_mark,
    words,
)
from worker_service.jobs.errors import StoreFull
from worker_service.jobs.states import State
from worker_service.store import Idempotency, Lock, NewJob, Queries, Store, Submitted


class TestRecord:
    def test_job_without_an_instant_is_queued(self, store: Store, reads: Queries):
        job = a_job(priority=7, max_attempts=4, max_crashes=2, parent="parent-1")

        assert words(store.submit([job], now_ms=NOW)) == ["created"]

        found = reads.job(job.id)
        assert found is not None
        assert (found.state, found.queue, found.actor, found.priority) == (State.QUEUED, "default", "work", 7)
        assert (found.max_attempts, found.max_crashes, found.parent) == (4, 2, "parent-1")
        assert (found.created_at_ms, found.due_at_ms, found.expires_at_ms) == (NOW, None, None)
        assert ids(store, store.keys.ready("default")) == [job.id]
        assert ids(store, store.keys.jobs) == [job.id]

    @pytest.mark.parametrize("when", [{"delay_ms": 5_000}, {"run_at_ms": NOW + 5_000}])
    def test_job_wanted_later_is_scheduled(self, store: Store, when: dict[str, Any]):
        id = submitted(store, **when)

        assert fields_of(store, id)["state"] == "scheduled"
        assert fields_of(store, id)["wait_reason"] == "asked"
        assert fields_of(store, id)["due_at"] == str(NOW + 5_000)
        assert store.client.zscore(store.keys.due("default"), id) == NOW + 5_000
        assert ids(store, store.keys.ready("default")) == []

    def test_job_wanted_in_the_past_is_queued(self, store: Store):
        id = submitted(store, run_at_ms=NOW - 1)

        assert fields_of(store, id)["state"] == "queued"

    @pytest.mark.parametrize("deadline", [{"expires_in_ms": 800}, {"expires_at_ms": NOW + 800}])
    def test_deadline_is_kept_as_an_instant(self, store: Store, deadline: dict[str, Any]):
        id = submitted(store, **deadline)

        assert fields_of(store, id)["expires_at"] == str(NOW + 800)

    def test_dead_follow_up_is_created_dead_and_never_claimed(self, store: Store, reads: Queries):
        id = submitted(store, dead_reason="not_json")

        found = reads.job(id)
        assert found is not None
        assert (found.state, found.reason, found.finished_at_ms) == (State.DEAD, "not_json", NOW)
        assert ids(store, store.keys.final("dead")) == [id]
        a_session(store)
        assert claim(store).jobs == []

    @pytest.mark.parametrize(
        "message", [b'{"args":[9007199254740993,[],{}]}', b"\xff\x00\r\n", "¡olé!".encode(), b"x" * 70_000]
    )
    def test_message_is_kept_byte_for_byte(self, store: Store, message: bytes):
        id = submitted(store, message=message)

        assert store.client.get(store.keys.msg(id)) == message

    def test_instant_is_the_server_s_without_another(self, store: Store):
        before = store.client.time()[0]

        store.submit([a_job("one")])

        created = int(fields_of(store, "one")["created_at"])
        assert before * 1000 <= created <= (store.client.time()[0] + 1) * 1000


class TestBatch:
    def test_every_job_gets_its_word(self, store: Store):
        submitted(store, "old")

        found = store.submit([a_job("new"), a_job("old"), a_job("newer")], now_ms=NOW)

        assert words(found) == ["created", "exists", "created"]

    def test_same_id_twice_in_a_batch_makes_one_job(self, store: Store):
        assert words(store.submit([a_job("one"), a_job("one")], now_ms=NOW)) == ["created", "exists"]
        assert ids(store, store.keys.ready("default")) == ["one"]

    def test_empty_batch_does_nothing(self, store: Store):
        assert words(store.submit([], now_ms=NOW)) == []
        assert contents(store) == {}


class TestRepeated:
    @pytest.mark.parametrize("fields", [{}, {"delay_ms": 1_000}, {"dead_reason": "unknown_actor"}])
    def test_same_call_changes_nothing(self, store: Store, fields: dict[str, int]):
        jobs = [a_job("one", **fields), a_job("two", **fields)]
        store.submit(jobs, now_ms=NOW)
        before = contents(store)

        assert words(store.submit(jobs, now_ms=NOW + 1)) == ["exists", "exists"]

        assert contents(store) == before

    def test_job_that_runs_is_left_alone(self, store: Store):
        submitted(store, "one")
        a_session(store)
        claim(store)

        assert words(store.submit([a_job("one", message=a_message("one", "other"))], now_ms=NOW)) == [
            "exists"
        ]

        assert fields_of(store, "one")["state"] == "running"
        assert store.client.get(store.keys.msg("one")) == a_message("one")


class TestOrder:
    def test_priority_comes_first_then_arrival(self, store: Store):
        for id, priority in [("c", 0), ("e", 5), ("d", 0), ("a", -100), ("b", -1), ("f", 100), ("g", 100)]:
            submitted(store, id, priority=priority)

        assert ids(store, store.keys.ready("default")) == ["a", "b", "c", "d", "e", "f", "g"]

    @pytest.mark.parametrize("priority", [-100, 100])
    def test_arrivals_stay_apart_at_the_ends_of_the_range(self, store: Store, priority: int):
        store.client.set(store.keys.arrivals, 2**46 - 4)

        for id in ["z", "y", "x"]:
            submitted(store, id, priority=priority)

        assert ids(store, store.keys.ready("default")) == ["z", "y", "x"]


class TestWakeMark:
    def test_queued_job_sets_it(self, store: Store):
        submitted(store)

        assert is_marked(store)
        assert not is_marked(store, "other")

    def test_scheduled_job_sets_it_only_when_it_is_the_next_one_due(self, store: Store):
        submitted(store, delay_ms=5_000)
        assert is_marked(store)
        take_mark(store)

        submitted(store, delay_ms=6_000)
        assert not is_marked(store)

        submitted(store, delay_ms=4_000)
        assert is_marked(store)


class TestCounting:
    def test_queue_is_registered_with_the_instant_of_its_first_job(self, store: Store):
        submitted(store, queue="mail", now_ms=NOW)
        submitted(store, queue="mail", now_ms=NOW + 5)

        assert store.client.hgetall(store.keys.queues) == {b"mail": str(NOW).encode()}

    def test_totals_and_the_minute_grow(self, store: Store, reads: Queries):
        store.submit([a_job(), a_job(), a_job(dead_reason="too_large")], now_ms=NOW)

        assert reads.totals("work") == {"enqueued": 3, "dead": 1}
        minute = store.keys.minute("work", NOW // 60_000)
        assert store.client.hgetall(minute) == {b"enqueued": b"3", b"dead": b"1"}
        assert 0 < store.client.pttl(minute) <= 50 * 3600 * 1000


class TestTooLate:
    @pytest.mark.parametrize(
        "when",
        [
            {"expires_at_ms": NOW},
            {"expires_at_ms": NOW - 5},
            {"expires_in_ms": 100, "delay_ms": 100},
            {"expires_at_ms": NOW + 9, "run_at_ms": NOW + 10},
        ],
    )
    def test_job_that_could_never_start_is_not_created(self, store: Store, when: dict[str, Any]):
        assert words(store.submit([a_job(**when)], now_ms=NOW)) == ["too_late"]
        assert contents(store) == {}

    def test_repeated_call_after_the_deadline_finds_the_job(self, store: Store):
        job = a_job(expires_in_ms=100)
        store.submit([job], now_ms=NOW)
        assert words(store.submit([job], now_ms=NOW + 200)) == ["exists"]


class TestIdempotency:
    REQUEST = Idempotency("all:key", "fingerprint-1", 60_000)

    def test_same_request_gets_the_job_again_as_it_stands_now(self, store: Store):
        id = submitted(store, idempotency=self.REQUEST)
        a_session(store)
        claim(store)

        found = store.submit([a_job(idempotency=self.REQUEST)], now_ms=NOW + 5)

        assert found == [Submitted("replayed", NOW, id, "work", "default", "running")]
        assert ids(store, store.keys.jobs) == [id]

    def test_another_request_is_a_conflict_and_changes_nothing(self, store: Store):
        submitted(store, idempotency=self.REQUEST)
        before = contents(store)
        other = Idempotency("all:key", "fingerprint-2", 60_000)

        assert words(store.submit([a_job(idempotency=other)], now_ms=NOW)) == ["conflict"]

        assert contents(store) == before

    def test_repeated_call_after_a_lost_reply_is_no_replay(self, store: Store):
        job = a_job(idempotency=self.REQUEST)
        store.submit([job], now_ms=NOW)
        assert words(store.submit([job], now_ms=NOW)) == ["exists"]

    def test_key_outlives_the_record_of_the_job(self, store: Store, reads: Queries):
        job = claimed(store, idempotency=self.REQUEST)
        finish(store, job, "complete")
        store.prune({"succeeded": (0, 0)}, now_ms=NOW + 1)
        assert reads.job(job.id) is None

        (found,) = store.submit([a_job(idempotency=self.REQUEST)], now_ms=NOW + 2)

        assert (found.word, found.id, found.state) == ("replayed", job.id, "pruned")

    def test_same_key_twice_in_a_batch_makes_one_job(self, store: Store):
        found = store.submit([a_job(idempotency=self.REQUEST) for _ in range(2)], now_ms=NOW)
        assert words(found) == ["created", "replayed"]
        assert len(ids(store, store.keys.jobs)) == 1

    def test_key_is_kept_for_its_time(self, store: Store):
        submitted(store, idempotency=self.REQUEST)
        assert 59_000 < store.client.pttl(store.keys.idem("all:key")) <= 60_000

    def test_request_that_is_refused_leaves_its_key_free(self, store: Store):
        late = a_job(idempotency=self.REQUEST, expires_at_ms=NOW)
        assert words(store.submit([late], now_ms=NOW)) == ["too_late"]
        submitted(store, idempotency=self.REQUEST)

    def test_record_stays_small(self, store: Store):
        submitted(store, idempotency=Idempotency("a" * 64, "f" * 64, 60_000))
        assert store.client.object("encoding", store.keys.idem("a" * 64)) == b"listpack"


def test_full_server_refuses_new_jobs_and_nothing_changes(limited: Store):
    submitted(limited, "there")
    before = contents(limited)

    with out_of_memory(limited.client):
        with pytest.raises(StoreFull):
            limited.submit([a_job("one"), a_job("two", delay_ms=5)], now_ms=NOW)
        assert contents(limited) == before

        assert words(limited.submit([a_job("there")], now_ms=NOW)) == ["exists"]


class TestAllOrNone:
    REQUEST = Idempotency("all:key", "fingerprint-1", 60_000)

    def submit(self, store: Store, *jobs: NewJob) -> list[str]:
        return words(store.submit(jobs, all_or_none=True, now_ms=NOW))

    def test_all_are_created_when_none_is_refused(self, store: Store):
        submitted(store, "there", idempotency=self.REQUEST)

        found = self.submit(store, a_job("one"), a_job(idempotency=self.REQUEST), a_job("there"))

        assert found == ["created", "replayed", "exists"]

    @pytest.mark.parametrize(
        ("fields", "word"),
        [
            ({"idempotency": Idempotency("all:key", "fingerprint-2", 60_000)}, "conflict"),
            ({"expires_at_ms": NOW - 1}, "too_late"),
            ({"lock": Lock("digest", "done", "reject")}, "rejected"),
            ({"lock": Lock("digest", "done", "replace"), "actor": "other"}, "rejected"),
            ({"queue": "short"}, "full"),
        ],
    )
    def test_none_is_created_when_one_is_refused(self, store: Store, fields: dict[str, Any], word: str):
        submitted(store, "owner", idempotency=self.REQUEST, lock=Lock("digest", "done"))
        store.limit("short", 0)
        before = contents(store)

        found = self.submit(store, a_job("one"), a_job("two", **fields), a_job("three"))

        assert found == ["held_back", word, "held_back"]
        assert contents(store) == before

    def test_the_jobs_that_come_count_for_the_limit(self, store: Store):
        store.limit("default", 2)
        jobs = [a_job(), a_job(), a_job()]

        assert self.submit(store, *jobs) == ["held_back", "held_back", "full"]
        assert self.submit(store, *jobs[:2]) == ["created", "created"]
        assert self.submit(store, *jobs[:2]) == ["exists", "exists"]

    @pytest.mark.parametrize("on_conflict", ["return", "replace", "debounce", "keep_last"])
    def test_what_another_job_does_is_no_refusal(self, store: Store, on_conflict: str):
        submitted(store, "owner", lock=Lock("digest", "done"))
        store.limit("default", 2)
        again = a_job(delay_ms=5, lock=Lock("digest", "done", on_conflict))

        assert self.submit(store, again, a_job())[1] == "created"


@pytest.mark.parametrize("all_or_none", [False, True])
def test_full_server_refuses_all_jobs_of_a_call(limited: Store, all_or_none: bool):
    with out_of_memory(limited.client), pytest.raises(StoreFull):
        limited.submit([a_job(), a_job()], all_or_none=all_or_none, now_ms=NOW)
    assert contents(limited) == {}
