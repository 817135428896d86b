"""begin_step, end_step, settle_step: the ledger of what a job does once."""

import pytest

from tests.store.builders import (
    NOW,
    a_session,
    claim,
    claimed,
    contents,
    finish,
    out_of_memory,
    submitted,
)
from worker_service.jobs.errors import StoreFull
from worker_service.jobs.steps import STEPS_LIMIT
from worker_service.store import ClaimedJob, JobStep, Queries, Store


def begin(store: Store, job: ClaimedJob, step: str = "charge", *, over: bool = False) -> tuple[str, str]:
    return store.begin_step(job.id, job.token, step, over=over, now_ms=NOW)


def end(store: Store, job: ClaimedJob, outcome: str = "done", result: str = "", step: str = "charge") -> bool:
    return store.end_step(job.id, job.token, step, outcome, result, now_ms=NOW + 5)


def delivered_again(store: Store, job: ClaimedJob) -> ClaimedJob:
    """The next delivery of a job whose run failed."""
    assert finish(store, job, "retry", delay_ms=0) == "done"
    (again,) = claim(store).jobs
    assert again.token != job.token
    return again


def in_doubt(store: Store) -> str:
    """A dead job with a step of which nobody knows how it ended."""
    job = claimed(store)
    begin(store, job)
    finish(store, job, "dead_letter", reason="unknown_outcome")
    return job.id


def steps(reads: Queries, id: str) -> list[JobStep]:
    job = reads.job(id)
    assert job is not None
    return job.steps


class TestBegin:
    def test_new_step_is_begun_and_shown(self, store: Store, reads: Queries):
        job = claimed(store)

        assert begin(store, job) == ("begun", "")

        assert steps(reads, job.id) == [JobStep("charge", "begun", NOW, None)]

    def test_step_that_is_done_gives_its_result(self, store: Store, reads: Queries):
        job = claimed(store)
        begin(store, job)
        assert end(store, job, result='{"id": "ch 1"}')
        again = delivered_again(store, job)

        assert begin(store, again, over=True) == ("done", '{"id": "ch 1"}')

        assert steps(reads, job.id) == [JobStep("charge", "done", NOW + 5, {"id": "ch 1"})]

    def test_step_that_an_earlier_run_only_began_is_unknown_and_stays_so(self, store: Store):
        job = claimed(store)
        begin(store, job)
        again = delivered_again(store, job)
        before = contents(store)

        assert begin(store, again) == ("unknown", "")
        assert begin(store, again) == ("unknown", "")

        assert contents(store) == before

    def test_it_is_begun_over_on_request(self, store: Store):
        job = claimed(store)
        begin(store, job)
        again = delivered_again(store, job)

        assert begin(store, again, over=True) == ("begun", "")
        assert begin(store, again) == ("begun", "")  # it is this run's own now

    def test_repeated_call_after_a_lost_reply_changes_nothing(self, store: Store):
        job = claimed(store)
        begin(store, job)
        before = contents(store)

        assert begin(store, job) == ("begun", "")

        assert contents(store) == before

    def test_ledger_is_bounded(self, store: Store):
        job = claimed(store)
        for number in range(STEPS_LIMIT):
            assert begin(store, job, f"step-{number}") == ("begun", "")
        before = contents(store)

        assert begin(store, job, "one-more") == ("too_many", "")
        assert contents(store) == before
        assert begin(store, job, "step-7") == ("begun", "")

    def test_full_server_begins_nothing(self, limited: Store):
        job = claimed(limited)

        with out_of_memory(limited.client), pytest.raises(StoreFull):
            begin(limited, job)

        assert not limited.client.exists(limited.keys.step(job.id))


class TestEnd:
    def test_step_that_did_not_happen_is_as_if_never_begun(self, store: Store, reads: Queries):
        job = claimed(store)
        begin(store, job)

        assert end(store, job, "not_done")
        assert end(store, job, "not_done")  # repeated

        assert steps(reads, job.id) == []
        assert begin(store, delivered_again(store, job)) == ("begun", "")

    def test_done_stays_done(self, store: Store):
        job = claimed(store)
        begin(store, job)
        end(store, job, result="1")
        before = contents(store)

        assert end(store, job, result="1")
        assert end(store, job, "not_done")

        assert contents(store) == before

    def test_full_server_still_records_it(self, limited: Store):
        job = claimed(limited)
        begin(limited, job)

        with out_of_memory(limited.client):
            assert end(limited, job, result="1")

        assert begin(limited, job) == ("done", "1")


class TestToken:
    def test_run_that_lost_its_job_neither_begins_nor_ends_a_step(self, store: Store):
        job = claimed(store)
        begin(store, job, "first")
        again = delivered_again(store, job)
        begin(store, again, "second")
        before = contents(store)

        assert begin(store, job, "third") == ("stale", "")
        assert begin(store, job, "first", over=True) == ("stale", "")
        for outcome in ("done", "not_done"):
            assert not end(store, job, outcome, step="first")
            assert not end(store, job, outcome, step="second")

        assert contents(store) == before

    @pytest.mark.parametrize("verb", ["complete", "retry", "snooze", "dead_letter", "hand_back", "cancel"])
    def test_nothing_follows_the_end_of_a_delivery(self, store: Store, verb: str):
        job = claimed(store)
        begin(store, job)
        finish(store, job, verb)
        before = contents(store)

        assert begin(store, job) == ("stale", "")
        assert not end(store, job)

        assert contents(store) == before

    def test_unknown_job_has_no_steps(self, store: Store):
        assert store.begin_step("unknown", "s1:1", "charge") == ("stale", "")
        assert not store.end_step("unknown", "s1:1", "charge", "done", "1")
        assert contents(store) == {}


class TestSettle:
    def test_what_a_person_found_done_is_done(self, store: Store, reads: Queries):
        id = in_doubt(store)

        assert store.settle_step(id, "charge", "n1", "done", '"ch_1"', now_ms=NOW + 9) == "settled"

        assert steps(reads, id) == [JobStep("charge", "done", NOW + 9, "ch_1")]
        store.replay([id], "n2", now_ms=NOW)
        (job,) = claim(store).jobs
        assert begin(store, job) == ("done", '"ch_1"')

    def test_what_a_person_found_not_done_is_done_by_the_replay(self, store: Store, reads: Queries):
        id = in_doubt(store)

        assert store.settle_step(id, "charge", "n1", "not_done", now_ms=NOW) == "settled"

        assert steps(reads, id) == []
        store.replay([id], "n2", now_ms=NOW)
        (job,) = claim(store).jobs
        assert begin(store, job) == ("begun", "")

    @pytest.mark.parametrize("outcome", ["done", "not_done"])
    def test_repeated_call_after_a_lost_reply_changes_nothing(self, store: Store, outcome: str):
        id = in_doubt(store)
        store.settle_step(id, "charge", "n1", outcome, now_ms=NOW)
        before = contents(store)

        assert store.settle_step(id, "charge", "n1", outcome, now_ms=NOW + 1) == "settled"

        assert contents(store) == before

    def test_running_job_is_left_alone(self, store: Store):
        job = claimed(store)
        begin(store, job)
        before = contents(store)

        assert store.settle_step(job.id, "charge", "n1", "done") == "running"

        assert contents(store) == before

    def test_step_that_is_done_or_was_not_begun_is_left_alone(self, store: Store):
        job = claimed(store)
        begin(store, job)
        end(store, job, result="1")
        finish(store, job, "complete")
        before = contents(store)

        assert store.settle_step(job.id, "charge", "n1", "not_done") == "done"
        assert store.settle_step(job.id, "mail", "n2", "done") == "no_step"
        assert store.settle_step("unknown", "charge", "n3", "done") == "unknown"

        assert contents(store) == before

    def test_job_that_waits_for_its_next_attempt_may_be_settled(self, store: Store):
        job = claimed(store)
        begin(store, job)
        finish(store, job, "retry", delay_ms=0)

        assert store.settle_step(job.id, "charge", "n1", "done", "7") == "settled"

        (again,) = claim(store).jobs
        assert begin(store, again) == ("done", "7")


class TestLedger:
    def test_replay_keeps_what_is_done(self, store: Store):
        job = claimed(store)
        begin(store, job)
        end(store, job, result="1")
        finish(store, job, "dead_letter", reason="failed")

        store.replay([job.id], "n1", now_ms=NOW)

        (again,) = claim(store).jobs
        assert begin(store, again) == ("done", "1")

    def test_it_goes_with_the_job(self, store: Store):
        id = in_doubt(store)
        store.prune({"dead": (0, 0)}, now_ms=NOW + 1)
        assert not store.client.exists(store.keys.step(id))

    def test_steps_are_shown_in_order_and_damaged_entries_left_out(self, store: Store, reads: Queries):
        job = claimed(store)
        for at, step in ((2, "later"), (1, "z"), (1, "a")):
            store.begin_step(job.id, job.token, step, now_ms=NOW + at)
        store.client.hset(store.keys.step(job.id), mapping={"damaged": "what?", "worse": "begun soon s1:1"})

        assert [step.name for step in steps(reads, job.id)] == ["a", "z", "later"]

    def test_key_of_another_type_hides_no_job(self, store: Store, reads: Queries):
        id = submitted(store)
        store.client.set(store.keys.step(id), "of another type")
        assert steps(reads, id) == []

    def test_damaged_entry_is_never_taken_for_a_step_that_may_be_done(self, store: Store):
        job = claimed(store)
        store.client.hset(store.keys.step(job.id), "charge", "what?")
        a_session(store)
        assert begin(store, job) == ("unknown", "")
