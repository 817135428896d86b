"""rescue: jobs of worker processes that are gone are taken back, and crashes are charged with care."""

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
from worker_service.jobs.states import State
from worker_service.store import Queries, Rescued, Store

LONG_AGO = NOW - 2 * LEASE


def rescue_all(store: Store, *, now_ms: int = NOW, run_id: str = RUN_ID) -> Rescued:
    """What every keeper does again and again."""
    return store.rescue(LEASE, run_id, now_ms=now_ms)


def rescuers_are_up(store: Store, until_ms: int = NOW) -> None:
    """Rescues have run all the time until this instant, on the same server."""
    store.client.hset(
        store.keys.meta,
        mapping={"rescue_at": until_ms - LEASE // 5, "rescue_run": RUN_ID, "rescue_hold": LONG_AGO},
    )


def charges(store: Store, *names: str) -> dict[str, int]:
    """How many crashes each job was charged."""
    return {id: int(fields_of(store, id).get("crashes", 0)) for id in names}


def three_running(store: Store) -> None:
    store.submit([a_job("a"), a_job("b"), a_job("c")], now_ms=NOW)
    a_session(store)
    claim(store)


class TestWhoIsLost:
    def test_session_whose_lease_ran_out_loses_its_jobs(self, store: Store, reads: Queries):
        job = claimed(store, now_ms=NOW - LEASE)
        rescuers_are_up(store)

        assert rescue_all(store) == Rescued(holding=False, jobs=1, dead=0, more=False)

        record = fields_of(store, job.id)
        assert (record["state"], record["wait_reason"], record["crashes"]) == ("retrying", "crash", "1")
        assert "token" not in record
        assert not [key for key in contents(store) if key.endswith("s1")]
        assert ids(store, store.keys.sessions) == []
        assert reads.totals("work")["crashed"] == 1

    def test_session_within_its_lease_keeps_its_jobs(self, store: Store):
        job = claimed(store, now_ms=NOW - LEASE + 1)
        rescuers_are_up(store)

        assert rescue_all(store).jobs == 0

        assert running(store) == {job.id: job.token}

    def test_named_session_loses_its_jobs_whatever_its_lease(self, store: Store):
        claimed(store)
        a_session(store, "s2")

        assert store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW).jobs == 1

        assert ids(store, store.keys.sessions) == ["s2"]

    def test_named_session_that_is_unknown_is_nobody(self, store: Store):
        assert store.rescue(LEASE, RUN_ID, session="never", now_ms=NOW) == Rescued(False, 0, 0, False)

    def test_repeated_call_takes_nothing_more(self, store: Store):
        claimed(store)
        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)
        before = contents(store)

        assert store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW).jobs == 0

        assert contents(store) == before

    def test_token_of_a_lost_session_is_worth_nothing(self, store: Store):
        job = claimed(store)
        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)
        a_session(store, "s2")
        (again,) = claim(store, session="s2", now_ms=NOW + 500).jobs

        assert finish(store, job, "complete") == "stale"
        assert finish(store, again, "complete") == "done"

    def test_outcome_that_comes_before_the_rescue_stands(self, store: Store):
        job = claimed(store)
        finish(store, job, "complete")

        assert store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW).jobs == 0

        assert fields_of(store, job.id)["state"] == "succeeded"


class TestHold:
    """After an outage nobody is rescued before one whole lease has passed."""

    def test_first_rescue_of_all_holds(self, store: Store):
        claimed(store, now_ms=NOW - 2 * LEASE)

        assert rescue_all(store).holding
        assert running(store) != {}

    def test_gap_between_rescues_holds_for_one_lease(self, store: Store):
        claimed(store, now_ms=NOW - 2 * LEASE)
        rescuers_are_up(store, NOW - LEASE)

        for at in range(NOW, NOW + LEASE, LEASE // 5):
            assert rescue_all(store, now_ms=at).holding
        assert rescue_all(store, now_ms=NOW + LEASE).jobs == 1

    def test_other_run_of_the_server_holds_for_one_lease(self, store: Store):
        claimed(store, now_ms=NOW - 2 * LEASE)
        rescuers_are_up(store)

        assert rescue_all(store, run_id="run-2").holding
        for at in range(NOW, NOW + LEASE, LEASE // 5):
            assert rescue_all(store, now_ms=at, run_id="run-2").holding
        assert rescue_all(store, now_ms=NOW + LEASE, run_id="run-2").jobs == 1

    def test_session_that_comes_back_meanwhile_keeps_its_jobs(self, store: Store):
        claimed(store, now_ms=NOW - 2 * LEASE)
        rescuers_are_up(store, NOW - LEASE)
        rescue_all(store)

        store.extend("s1", LEASE, now_ms=NOW + 5_000)

        for at in range(NOW, NOW + LEASE + 1, LEASE // 5):
            assert rescue_all(store, now_ms=at).jobs == 0

    def test_keeper_s_own_rescue_does_not_wait(self, store: Store):
        claimed(store)

        assert not store.rescue(LEASE, "", session="s1", now_ms=NOW).holding

    def test_keeper_s_own_rescue_does_not_count_as_a_sign_of_life(self, store: Store):
        claimed(store, session="s1", now_ms=NOW - 2 * LEASE)
        a_session(store, "s2")
        rescuers_are_up(store, NOW - LEASE)

        store.rescue(LEASE, RUN_ID, session="s2", now_ms=NOW)

        assert rescue_all(store).holding


class TestCharging:
    def test_every_job_is_charged_when_it_is_unknown_which_had_started(self, store: Store):
        three_running(store)

        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

        assert charges(store, "a", "b", "c") == {"a": 1, "b": 1, "c": 1}

    def test_only_started_jobs_are_charged_when_known(self, store: Store):
        three_running(store)

        store.rescue(LEASE, RUN_ID, session="s1", started=["b"], now_ms=NOW)

        assert charges(store, "a", "b", "c") == {"a": 0, "b": 1, "c": 0}
        assert ids(store, store.keys.ready("default")) == ["a", "c"]
        assert [fields_of(store, id)["state"] for id in ("a", "b", "c")] == ["queued", "retrying", "queued"]

    def test_no_job_is_charged_when_none_had_started(self, store: Store):
        three_running(store)

        store.rescue(LEASE, RUN_ID, session="s1", started=[], now_ms=NOW)

        assert charges(store, "a", "b", "c") == {"a": 0, "b": 0, "c": 0}
        assert ids(store, store.keys.ready("default")) == ["a", "b", "c"]

    @pytest.mark.parametrize("started", [None, ["suspect", "a", "b"]])
    def test_only_jobs_with_an_earlier_crash_are_charged_when_there_are_any(
        self, store: Store, started: list[str] | None
    ):
        crashed(store, "suspect")
        store.submit([a_job("a"), a_job("b")], now_ms=NOW)
        a_session(store)
        claim(store)

        store.rescue(LEASE, RUN_ID, session="s1", started=started, now_ms=NOW)

        assert charges(store, "suspect", "a", "b") == {"suspect": 2, "a": 0, "b": 0}
        assert [fields_of(store, id)["state"] for id in ("suspect", "a", "b")] == ["retrying"] * 3

    def test_job_with_an_earlier_crash_that_had_not_started_clears_nobody(self, store: Store):
        crashed(store, "suspect")
        submitted(store, "a")
        a_session(store)
        claim(store)

        store.rescue(LEASE, RUN_ID, session="s1", started=["a"], now_ms=NOW)

        assert charges(store, "suspect", "a") == {"suspect": 1, "a": 1}

    def test_only_the_overdue_job_is_charged_for_its_time_limit(self, store: Store, reads: Queries):
        three_running(store)

        store.rescue(LEASE, RUN_ID, session="s1", started=["a", "b"], overdue="b", now_ms=NOW)

        assert charges(store, "a", "b", "c") == {"a": 0, "b": 1, "c": 0}
        assert ids(store, store.keys.ready("default")) == ["a", "c"]
        found = reads.job("b")
        assert found is not None
        assert [delivery.outcome for delivery in found.deliveries] == ["time_limit_hard"]

    def test_overdue_job_is_charged_even_beside_an_earlier_crash(self, store: Store):
        crashed(store, "suspect")
        submitted(store, "slow")
        a_session(store)
        claim(store)

        store.rescue(LEASE, RUN_ID, session="s1", started=["suspect", "slow"], overdue="slow", now_ms=NOW)

        assert charges(store, "suspect", "slow") == {"suspect": 1, "slow": 1}

    def test_crash_uses_up_no_attempt(self, store: Store):
        claimed(store, "one")

        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

        assert "attempts" not in fields_of(store, "one")


class TestGivingUp:
    @pytest.mark.parametrize(("max_crashes", "lives"), [(0, 0), (1, 0), (2, 1), (3, 2)])
    def test_job_is_dead_after_its_crashes(self, store: Store, max_crashes: int, lives: int):
        submitted(store, "one", max_crashes=max_crashes)
        at = NOW
        for number in range(lives + 1):
            session = a_session(store, f"s{number}", now_ms=at)
            assert len(claim(store, session=session, now_ms=at).jobs) == 1
            rescued = store.rescue(LEASE, RUN_ID, session=session, now_ms=at)
            assert rescued.dead == (number == lives)
            at += 10_000

        record = fields_of(store, "one")
        assert (record["state"], record["reason"]) == ("dead", "worker_lost")
        assert ids(store, store.keys.final("dead")) == ["one"]

    def test_job_that_may_run_once_is_dead_even_when_another_is_charged(self, store: Store):
        crashed(store, "suspect")
        submitted(store, "once", max_crashes=0)
        a_session(store)
        claim(store)

        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

        assert fields_of(store, "once")["state"] == "dead"

    def test_job_that_may_run_once_goes_back_when_it_had_not_started(self, store: Store):
        claimed(store, "once", max_crashes=0)

        store.rescue(LEASE, RUN_ID, session="s1", started=[], now_ms=NOW)

        assert fields_of(store, "once")["state"] == "queued"

    def test_overdue_job_says_so_when_it_is_given_up(self, store: Store):
        claimed(store, "slow", max_crashes=1)

        store.rescue(LEASE, RUN_ID, session="s1", started=["slow"], overdue="slow", now_ms=NOW)

        assert fields_of(store, "slow")["reason"] == "time_limit_hard"

    def test_evidence_is_kept(self, store: Store, reads: Queries):
        claimed(store, "one", max_crashes=1)

        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW + 70)

        found = reads.job("one")
        assert found is not None
        (delivery,) = found.deliveries
        assert (delivery.number, delivery.worker, delivery.outcome, delivery.charged) == (
            1,
            "s1",
            "crash",
            True,
        )
        assert (delivery.started_at_ms, delivery.ended_at_ms) == (NOW, NOW + 70)


class TestWaits:
    def test_first_crash_waits_half_a_second_and_later_ones_ten(self, store: Store):
        for crashes, wait in [(0, 500), (1, 10_000), (2, 10_000)]:
            id = crashed(store, f"job-{crashes}", times=crashes)
            a_session(store)
            assert len(claim(store).jobs) == 1

            store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

            assert fields_of(store, id)["due_at"] == str(NOW + wait)
            store.cancel(id, now_ms=NOW)

    def test_job_that_was_not_charged_waits_for_its_next_run_as_well(self, store: Store):
        crashed(store, "suspect")
        submitted(store, "a")
        a_session(store)
        claim(store)

        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

        assert fields_of(store, "a")["due_at"] == str(NOW + 500)


class TestSlices:
    def test_limit_bounds_one_call_and_says_that_more_remain(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("worker_service.store.transitions.RESCUE_LIMIT", 2)
        store.submit([a_job() for _ in range(5)], now_ms=NOW)
        a_session(store)
        claim(store)

        answers = [store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW) for _ in range(3)]

        assert [(answer.jobs, answer.more) for answer in answers] == [(2, True), (2, True), (1, False)]

    def test_charging_is_the_same_in_slices(self, store: Store, monkeypatch: pytest.MonkeyPatch):
        crashed(store, "suspect")
        store.submit([a_job(id) for id in "abcde"], now_ms=NOW)
        a_session(store)
        claim(store)
        monkeypatch.setattr("worker_service.store.transitions.RESCUE_LIMIT", 1)

        while store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW).more:
            pass

        assert charges(store, "suspect", *"abcde") == {"suspect": 2, **dict.fromkeys("abcde", 0)}

    def test_rescue_that_was_broken_off_is_taken_up_by_the_others(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("worker_service.store.transitions.RESCUE_LIMIT", 2)
        three_running(store)
        rescuers_are_up(store)
        assert store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW).more

        assert rescue_all(store).jobs == 1

        assert charges(store, "a", "b", "c") == {"a": 1, "b": 1, "c": 1}
        assert ids(store, store.keys.sessions) == []


class TestWakeMarks:
    def test_they_are_set_wherever_work_waits_even_when_nobody_was_lost(self, store: Store):
        submitted(store, queue="a")
        submitted(store, queue="b", delay_ms=60_000)
        for queue in ("a", "b"):
            take_mark(store, queue)
        rescuers_are_up(store)

        rescue_all(store)

        assert is_marked(store, "a")
        assert is_marked(store, "b")

    def test_rescued_job_sets_the_mark_of_its_queue(self, store: Store):
        claimed(store)
        take_mark(store)

        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

        assert is_marked(store)


class TestDamagedRecord:
    """It may not keep a rescue from taking back the rest, now or ever."""

    @pytest.mark.parametrize(
        "damage", ["job", "attempts", "gone", "queue", "actor", "started_at", "deliveries"]
    )
    @pytest.mark.parametrize("started", [None, []])
    def test_the_others_are_taken_back(self, store: Store, damage: str, started: list[str] | None):
        store.submit([a_job("a"), a_job("bad"), a_job("c")], now_ms=NOW)
        a_session(store)
        claim(store)
        if damage in ("job", "attempts"):
            key = getattr(store.keys, damage)("bad")
            store.client.delete(key)
            store.client.set(key, "x")
        elif damage == "gone":
            store.client.delete(store.keys.job("bad"))
        else:
            store.client.hdel(store.keys.job("bad"), damage)

        assert not store.rescue(LEASE, RUN_ID, session="s1", started=started, now_ms=NOW).more

        state = "retrying" if started is None else "queued"
        assert [fields_of(store, id)["state"] for id in ("a", "c")] == [state, state]
        assert not [key for key in contents(store) if key.endswith("s1")]
        assert ids(store, store.keys.sessions) == []

    def test_it_is_buried(self, store: Store):
        claimed(store, "bad")
        store.client.hdel(store.keys.job("bad"), "queue")

        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

        record = fields_of(store, "bad")
        assert (record["state"], record["reason"]) == (State.DEAD, "damaged_record")
        assert ids(store, store.keys.final("dead")) == ["bad"]


def test_full_server_still_rescues(limited: Store):
    job = claimed(limited)

    with out_of_memory(limited.client):
        assert limited.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW).jobs == 1

    assert fields_of(limited, job.id)["state"] == "retrying"


class TestEvidence:
    """Which process died, and how."""

    def messages(self, reads: Queries, id: str) -> list[str]:
        """That of each delivery, then that of the job."""
        job = reads.job(id)
        assert job is not None
        errors = [delivery.error for delivery in job.deliveries] + [job.error]
        return [error["message"] for error in errors if error]

    def test_one_whose_keeper_saw_it_end_says_how(self, store: Store, reads: Queries):
        job = claimed(store, max_crashes=1)
        store.rescue(LEASE, RUN_ID, session="s1", ended="was killed by SIGKILL", now_ms=NOW)
        assert self.messages(reads, job.id) == ["its worker process (here, pid 1) was killed by SIGKILL"] * 2

    def test_each_delivery_that_crashed_keeps_its_own(self, store: Store, reads: Queries):
        job = claimed(store, max_crashes=2)
        store.rescue(LEASE, RUN_ID, session="s1", ended="ended with exit code 7", now_ms=NOW)
        assert self.messages(reads, job.id) == ["its worker process (here, pid 1) ended with exit code 7"]

    def test_one_whose_lease_ran_out_fell_silent(self, store: Store, reads: Queries):
        job = claimed(store, max_crashes=1, now_ms=NOW - LEASE)
        rescuers_are_up(store)
        rescue_all(store)
        assert self.messages(reads, job.id) == ["its worker process (here, pid 1) fell silent"] * 2

    def test_one_that_was_killed_for_a_job_is_named_too(self, store: Store, reads: Queries):
        job = claimed(store, max_crashes=1)
        store.rescue(LEASE, RUN_ID, session="s1", started=[job.id], overdue=job.id, now_ms=NOW)
        words = "no interrupt reached it, so its worker process (here, pid 1) was killed"
        assert self.messages(reads, job.id) == [words] * 2

    @pytest.mark.parametrize(
        ("about", "shown"),
        [({"host": 'a"b\\c\n\t', "pid": "7"}, " (a?b?c??, pid 7)"), ({}, ""), ({"host": "here"}, "")],
    )
    def test_whatever_a_host_is_called_it_can_be_read(
        self, store: Store, reads: Queries, about: dict[str, str], shown: str
    ):
        submitted(store, "one", max_crashes=1)
        store.open_session("s1", LEASE, about, now_ms=NOW)
        claim(store)
        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)
        assert self.messages(reads, "one") == [f"its worker process{shown} died"] * 2
