"""finish: how a delivery ended is recorded, by the holder of its token only."""

import pytest

from tests.store.builders import (
    NOW,
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
    outcome,
    running,
    submitted,
    take_mark,
)
from worker_service.jobs.states import State
from worker_service.store import ClaimedJob, Outcome, Queries, Store

VERBS = ["complete", "retry", "snooze", "dead_letter", "hand_back"]


def batch_of(store: Store, n: int) -> list[ClaimedJob]:
    store.submit([a_job(f"job-{number}") for number in range(n)], now_ms=NOW)
    a_session(store)
    return claim(store).jobs


class TestComplete:
    def test_job_succeeds_with_its_result(self, store: Store, reads: Queries):
        job = claimed(store, "one")

        assert finish(store, job, "complete", result='{"sum":3}', now_ms=NOW + 40) == "done"

        found = reads.job("one")
        assert found is not None
        assert (found.state, found.finished_at_ms, found.result) == (State.SUCCEEDED, NOW + 40, {"sum": 3})
        assert ids(store, store.keys.final("succeeded")) == ["one"]
        assert running(store) == {}

    @pytest.mark.parametrize("result", ["null", "[]", "{}", "9007199254740993", '[1e400,"\\u0000",[[],{}]]'])
    def test_result_is_kept_byte_for_byte(self, store: Store, result: str):
        job = claimed(store)

        finish(store, job, "complete", result=result)

        assert store.client.hget(store.keys.out(job.id), "result") == result.encode()

    def test_job_without_result_keeps_none(self, store: Store, reads: Queries):
        job = claimed(store)

        finish(store, job, "complete")

        found = reads.job(job.id)
        assert found is not None
        assert not found.has_result

    def test_run_is_counted(self, store: Store, reads: Queries):
        job = claimed(store)

        finish(store, job, "complete", now_ms=NOW + 300)

        totals = reads.totals("work")
        assert (totals["succeeded"], totals["run_ms"], totals["run_le_500"]) == (1, 300, 1)
        minute = store.client.hgetall(store.keys.minute("work", NOW // 60_000))
        assert minute[b"succeeded"] == b"1"


class TestRetry:
    def test_job_is_due_again_and_charged(self, store: Store, reads: Queries):
        job = claimed(store, "one")

        assert finish(store, job, "retry", delay_ms=700, reason="retry", error='{"type":"E"}') == "done"

        found = reads.job("one")
        assert found is not None
        assert (found.state, found.wait_reason, found.attempts) == (State.RETRYING, "retry", 1)
        assert (found.due_at_ms, found.error) == (NOW + 700, {"type": "E"})
        (delivery,) = found.deliveries
        assert (delivery.outcome, delivery.charged, delivery.error) == ("retry", True, {"type": "E"})
        assert (delivery.number, delivery.worker) == (1, "s1")
        assert running(store) == {}
        assert reads.totals("work")["retried"] == 1

    def test_next_claim_carries_the_attempts_charged(self, store: Store):
        job = claimed(store)
        finish(store, job, "retry", delay_ms=700)

        (again,) = claim(store, now_ms=NOW + 700).jobs

        assert (again.attempts, again.token) == (1, "s1:2")

    def test_wait_of_zero_makes_it_due_at_once(self, store: Store):
        job = claimed(store)

        finish(store, job, "retry")

        assert [again.id for again in claim(store).jobs] == [job.id]

    def test_message_handed_in_is_what_the_next_delivery_gets(self, store: Store):
        job = claimed(store, "one")

        finish(store, job, "retry", message=a_message("one", "changed"))

        assert claim(store).jobs[0].message == a_message("one", "changed")

    def test_message_stays_as_stored_without_another(self, store: Store):
        job = claimed(store, "one")

        finish(store, job, "retry")

        assert claim(store).jobs[0].message == a_message("one")

    def test_mark_is_set_when_it_is_the_next_one_due(self, store: Store):
        first, second = batch_of(store, 2)
        finish(store, first, "retry", delay_ms=500)
        assert is_marked(store)
        take_mark(store)

        finish(store, second, "retry", delay_ms=600)

        assert not is_marked(store)

    def test_error_of_an_attempt_that_failed_does_not_hide_a_later_success(
        self, store: Store, reads: Queries
    ):
        job = claimed(store)
        finish(store, job, "retry", error='{"type":"E"}')
        (again,) = claim(store).jobs

        finish(store, again, "complete", result="1")

        found = reads.job(job.id)
        assert found is not None
        assert (found.state, found.result, found.error) == (State.SUCCEEDED, 1, None)
        assert [delivery.outcome for delivery in found.deliveries] == ["retry", "complete"]


class TestSnooze:
    def test_job_waits_uncharged(self, store: Store, reads: Queries):
        job = claimed(store, "one")

        assert finish(store, job, "snooze", delay_ms=700, reason="snooze") == "done"

        found = reads.job("one")
        assert found is not None
        assert (found.state, found.wait_reason, found.attempts) == (State.SCHEDULED, "snooze", 0)
        assert found.due_at_ms == NOW + 700
        assert [delivery.charged for delivery in found.deliveries] == [False]
        assert reads.totals("work")["snoozed"] == 1

    def test_looking_for_an_actor_pushes_no_attempt_out_of_the_history(self, store: Store, reads: Queries):
        job = claimed(store, "one")
        finish(store, job, "retry", error='{"type":"E"}')
        for turn in range(30):
            (job,) = claim(store, now_ms=NOW + turn * 1_000).jobs
            assert job.unknown_for_ms == (turn * 1_000 if turn else None)
            finish(store, job, "snooze", delay_ms=1_000, reason="unknown_actor", now_ms=NOW + turn * 1_000)

        found = reads.job("one")
        assert found is not None
        assert (found.state, found.wait_reason) == (State.SCHEDULED, "unknown_actor")
        assert [delivery.outcome for delivery in found.deliveries] == ["retry"]
        assert fields_of(store, "one")["unknown_since"] == str(NOW)

    def test_snoozes_are_counted_on_the_record(self, store: Store):
        job = claimed(store)
        finish(store, job, "snooze")
        (again,) = claim(store).jobs

        finish(store, again, "snooze")

        assert fields_of(store, job.id)["snoozes"] == "2"


class TestDeadLetter:
    def test_job_is_given_up_with_its_reason_and_error(self, store: Store, reads: Queries):
        job = claimed(store, "one")

        assert finish(store, job, "dead_letter", reason="permanent_error", error='{"type":"E"}') == "done"

        found = reads.job("one")
        assert found is not None
        assert (found.state, found.reason, found.error) == (State.DEAD, "permanent_error", {"type": "E"})
        assert (found.attempts, found.finished_at_ms) == (1, NOW)
        assert ids(store, store.keys.final("dead")) == ["one"]
        assert reads.totals("work")["dead"] == 1

    def test_it_may_use_up_no_attempt(self, store: Store, reads: Queries):
        job = claimed(store, "one")

        finish(store, job, "dead_letter", reason="bad_message", charged=False)

        found = reads.job("one")
        assert found is not None
        assert found.attempts == 0
        assert [delivery.charged for delivery in found.deliveries] == [False]


class TestHandBack:
    def test_job_goes_back_to_its_old_place_uncharged(self, store: Store, reads: Queries):
        first, second, third = batch_of(store, 3)
        submitted(store, "later")

        for job in (third, first, second):
            assert finish(store, job, "hand_back") == "done"

        assert ids(store, store.keys.ready("default")) == ["job-0", "job-1", "job-2", "later"]
        found = reads.job("job-0")
        assert found is not None
        assert (found.state, found.attempts) == (State.QUEUED, 0)
        assert [delivery.charged for delivery in found.deliveries] == [False]
        assert is_marked(store)
        assert running(store) == {}


class TestToken:
    @pytest.mark.parametrize("verb", VERBS)
    def test_repeated_call_says_already_and_changes_nothing(self, store: Store, verb: str):
        job = claimed(store)
        finish(store, job, verb, follow_ups=[a_job("next")])
        before = contents(store)

        assert finish(store, job, verb, now_ms=NOW + 5, follow_ups=[a_job("next")]) == "already"

        assert contents(store) == before

    @pytest.mark.parametrize("verb", VERBS)
    @pytest.mark.parametrize("token", ["s2:1", "s1:2", "s1:0", "", ":", "s1"])
    def test_wrong_token_is_stale_and_changes_nothing(self, store: Store, verb: str, token: str):
        job = claimed(store)
        before = contents(store)

        words = store.finish([Outcome(job.id, token, verb, follow_ups=[a_job("next")])], now_ms=NOW)

        assert words == ["stale"]
        assert contents(store) == before

    @pytest.mark.parametrize("token", ["s1:1", ""])
    def test_unknown_job_is_stale(self, store: Store, token: str):
        assert store.finish([Outcome("never", token, "complete")], now_ms=NOW) == ["stale"]
        assert contents(store) == {}

    def test_earlier_delivery_cannot_end_the_present_one(self, store: Store):
        job = claimed(store)
        finish(store, job, "hand_back")
        (again,) = claim(store).jobs

        assert finish(store, job, "complete") == "already"  # the hand-back was recorded
        assert running(store) == {job.id: again.token}

    def test_queued_job_cannot_be_ended(self, store: Store):
        submitted(store, "one")

        assert store.finish([Outcome("one", "", "complete")], now_ms=NOW) == ["stale"]

    @pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "complete"])
    def test_token_ends_with_the_delivery(self, store: Store, verb: str):
        job = claimed(store)

        finish(store, job, verb)

        record = fields_of(store, job.id)
        assert not {"token", "place"} & set(record)
        assert record["ended"] == job.token


class TestBatch:
    def test_every_outcome_gets_its_word(self, store: Store):
        a, b, c = batch_of(store, 3)
        finish(store, a, "complete")

        words = store.finish(
            [
                outcome(a, "complete"),
                Outcome(b.id, "s9:1", "complete"),
                outcome(b, "retry", follow_ups=[a_job("f1"), a_job("f2")]),
                outcome(c, "complete", result="1"),
            ],
            now_ms=NOW,
        )

        assert words == ["already", "stale", "done", "done"]
        assert fields_of(store, "f2")["state"] == "queued"

    def test_same_outcome_twice_in_a_batch_counts_once(self, store: Store):
        job = claimed(store)

        words = store.finish([outcome(job, "retry"), outcome(job, "retry")], now_ms=NOW)

        assert words == ["done", "already"]
        assert fields_of(store, job.id)["attempts"] == "1"

    def test_empty_batch_does_nothing(self, store: Store):
        assert store.finish([], now_ms=NOW) == []


class TestBroken:
    """An outcome that cannot be written changes nothing, stops no other, and its job can still be buried."""

    DAMAGES = ("out", "attempts", "actor", "queue", "started_at", "deliveries", "place")

    def damage(self, store: Store, id: str, what: str) -> None:
        if what in ("out", "attempts"):
            store.client.set(getattr(store.keys, what)(id), "x")
        else:
            store.client.hdel(store.keys.job(id), what)

    @pytest.mark.parametrize("what", DAMAGES)
    @pytest.mark.parametrize("verb", VERBS)
    def test_it_is_written_whole_or_not_at_all(self, store: Store, verb: str, what: str):
        jobs = batch_of(store, 3)
        self.damage(store, "job-1", what)
        before = contents(store)

        words = store.finish(
            [
                outcome(job, verb, result="1", error='{"a":1}', follow_ups=[a_job(f"f-{job.id}")])
                for job in jobs
            ],
            now_ms=NOW,
        )

        assert [words[0], words[2]] == ["done", "done"]
        if words[1] == "broken":
            assert running(store) == {"job-1": "s1:1"}
            after = contents(store)
            for key in (store.keys.job("job-1"), store.keys.out("job-1"), store.keys.attempts("job-1")):
                assert after.get(key) == before.get(key)
            assert fields_of(store, "f-job-1") == {}
        else:
            assert words[1] == "done"
            assert running(store) == {}
            assert fields_of(store, "f-job-1")["state"] == "queued"

    @pytest.mark.parametrize("what", DAMAGES)
    def test_dead_letter_always_passes(self, store: Store, reads: Queries, what: str):
        job = claimed(store, "one")
        self.damage(store, "one", what)

        word = finish(store, job, "dead_letter", reason="finish_failed", error='{"type":"E"}')

        assert word == "done"
        record = fields_of(store, "one")
        assert (record["state"], record["reason"]) == ("dead", "finish_failed")
        assert ids(store, store.keys.final("dead")) == ["one"]
        assert store.client.hget(store.keys.out("one"), "error") == b'{"type":"E"}'
        assert running(store) == {}

    def test_unknown_verb_is_broken(self, store: Store):
        job = claimed(store)
        before = contents(store)

        assert finish(store, job, "explode") == "broken"

        assert contents(store) == before

    def test_record_of_a_wrong_type_is_broken(self, store: Store):
        jobs = batch_of(store, 2)
        store.client.delete(store.keys.job("job-0"))
        store.client.set(store.keys.job("job-0"), "x")

        assert store.finish([outcome(job, "complete") for job in jobs], now_ms=NOW) == ["broken", "done"]

    def test_group_of_a_wrong_type_keeps_no_member_from_its_end(self, store: Store):
        store.client.set(store.keys.group("g"), "x")
        job = claimed(store, group="g", is_member=True, callbacks=(a_job("cb"),))

        assert finish(store, job, "complete") == "done"

        assert fields_of(store, job.id)["state"] == "succeeded"
        assert fields_of(store, "cb") == {}


class TestSuspicion:
    def test_job_that_crashed_before_keeps_its_count_through_other_ends(self, store: Store):
        crashed(store, "one")
        a_session(store)
        (job,) = claim(store).jobs

        finish(store, job, "hand_back")

        (again,) = claim(store).jobs
        assert again.crashes == 1


@pytest.mark.parametrize("verb", VERBS)
def test_full_server_still_records_every_end(limited: Store, verb: str):
    job = claimed(limited)

    with out_of_memory(limited.client):
        word = finish(
            limited, job, verb, result="1", error="{}", message=b"{}", follow_ups=[a_job("next", delay_ms=5)]
        )

    assert word == "done"
    assert running(limited) == {}
    assert fields_of(limited, "next")["state"] == "scheduled"
