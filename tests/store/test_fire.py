"""fire: a tick of a schedule gets one job, whoever fires it and however often."""

import random

import pytest
from redis.exceptions import ResponseError

from tests.store.builders import (
    NOW,
    a_job,
    a_schedule,
    a_session,
    claim,
    contents,
    fields_of,
    finish,
    fire,
    ids,
    is_marked,
    out_of_memory,
    schedules_of,
    take_mark,
)
from worker_service.jobs.errors import StoreFull
from worker_service.jobs.states import State
from worker_service.store import Lock, Queries, Store, StoredSchedule

EVERY = 60_000


def stored(store: Store, name: str = "each") -> StoredSchedule:
    found = schedules_of(store).get(name)
    assert isinstance(found, StoredSchedule)
    return found


class TestFirst:
    def test_tick_that_has_come_is_queued_and_the_schedule_moves_on(self, store: Store, reads: Queries):
        schedule = a_schedule(store)

        assert fire(store, schedule, NOW) == "fired"

        job = reads.job(f"each-{NOW}")
        assert job is not None
        assert (job.state, job.created_at_ms, job.due_at_ms) == (State.QUEUED, NOW, NOW)
        assert (job.schedule, job.tick_ms) == ("each", NOW)
        assert is_marked(store)
        found = stored(store)
        assert (found.last_ms, found.next_ms, found.runs) == (NOW, NOW + EVERY, 1)
        assert store.client.zscore(store.keys.schedules, "each") == NOW + EVERY
        assert reads.totals("work") == {"enqueued": 1}
        (tick,) = schedules_of(store).history("each", 10)
        assert (tick.tick_ms, tick.cause, tick.outcome, tick.job) == (NOW, "tick", "fired", job.id)

    def test_tick_of_a_clock_that_is_ahead_waits_for_its_instant(self, store: Store):
        a_session(store)
        assert fire(store, a_schedule(store), NOW + 1_500) == "fired"

        assert fields_of(store, f"each-{NOW + 1_500}")["state"] == "scheduled"
        assert claim(store, now_ms=NOW + 1_499).jobs == []
        assert len(claim(store, now_ms=NOW + 1_500).jobs) == 1

    def test_schedules_have_ticks_of_their_own(self, store: Store):
        one, two = a_schedule(store, "one"), a_schedule(store, "two")
        assert fire(store, one, NOW) == "fired"
        assert fire(store, two, NOW - EVERY) == "fired"
        assert ids(store, store.keys.ready("default")) == [f"one-{NOW}", f"two-{NOW - EVERY}"]


class TestRepeated:
    def test_same_call_changes_nothing(self, store: Store):
        schedule = a_schedule(store)
        fire(store, schedule, NOW)
        before = contents(store)

        assert fire(store, schedule, NOW, now_ms=NOW + 5) == "already"

        assert contents(store) == before

    def test_mark_is_not_set_again(self, store: Store):
        schedule = a_schedule(store)
        fire(store, schedule, NOW)
        take_mark(store)

        fire(store, schedule, NOW)

        assert not is_marked(store)

    def test_earlier_tick_makes_no_job(self, store: Store):
        schedule = a_schedule(store)
        fire(store, schedule, NOW)

        assert fire(store, schedule, NOW - EVERY) == "already"

        assert ids(store, store.keys.jobs) == [f"each-{NOW}"]

    def test_job_that_was_pruned_is_not_made_again(self, store: Store):
        schedule = a_schedule(store)
        fire(store, schedule, NOW)
        store.cancel(f"each-{NOW}", now_ms=NOW)
        assert store.prune({"cancelled": (0, 0)}, now_ms=NOW + 1) == (1, False)

        assert fire(store, schedule, NOW) == "already"

        assert ids(store, store.keys.jobs) == []


class TestOverlap:
    """An earlier job of the schedule has not ended."""

    def test_skipped_tick_is_counted_and_names_the_earlier_job(self, store: Store):
        schedule, lock = a_schedule(store), Lock("schedule:1", "done")
        fire(store, schedule, NOW, a_job("first", lock=lock))
        assert fire(store, schedule, NOW + EVERY, a_job("second", lock=lock)) == "skipped"

        assert fields_of(store, "second") == {}
        assert (stored(store).runs, stored(store).skipped, stored(store).last_ms) == (1, 1, NOW + EVERY)
        newest = schedules_of(store).history("each", 1)[0]
        assert (newest.tick_ms, newest.outcome, newest.job) == (NOW + EVERY, "skipped", "first")

    @pytest.mark.parametrize("runs", [False, True])
    def test_one_is_buffered_and_starts_at_the_end_of_the_earlier_one(self, store: Store, runs: bool):
        schedule, lock = a_schedule(store), Lock("schedule:1", "done", "buffer")
        a_session(store)
        fire(store, schedule, NOW, a_job("first", lock=lock))
        (job,) = claim(store).jobs if runs else (None,)
        words = [fire(store, schedule, NOW + k * EVERY, a_job(f"{k}", lock=lock)) for k in (1, 2, 3)]
        assert words == ["follows", "skipped", "skipped"]
        (job,) = (job,) if job else claim(store).jobs
        assert claim(store, now_ms=NOW + 9 * EVERY).jobs == []

        finish(store, job, "complete", now_ms=NOW + 9 * EVERY)

        assert [each.id for each in claim(store, now_ms=NOW + 9 * EVERY).jobs] == ["1"]
        assert (stored(store).runs, stored(store).skipped) == (2, 2)


class TestNoTick:
    """What is run by hand, or for the past."""

    @pytest.mark.parametrize("cause", ["run_now", "backfill"])
    def test_it_makes_a_job_and_moves_nothing(self, store: Store, cause: str):
        schedule = a_schedule(store)
        fire(store, schedule, NOW)
        before = stored(store)

        assert fire(store, schedule, NOW - 5 * EVERY, a_job("by-hand"), cause=cause) == "fired"
        assert fire(store, schedule, NOW - 5 * EVERY, a_job("by-hand"), cause=cause) == "already"

        assert stored(store) == before
        assert schedules_of(store).history("each", 1)[0].cause == cause

    def test_what_is_refused_by_hand_is_no_skipped_tick(self, store: Store):
        schedule, lock = a_schedule(store), Lock("schedule:1", "done")
        fire(store, schedule, NOW, a_job("first", lock=lock))
        before = contents(store)
        assert fire(store, schedule, NOW, a_job("by-hand", lock=lock), cause="run_now") == "skipped"
        assert stored(store).skipped == 0
        assert contents(store)[store.keys.ticks("each")] == before[store.keys.ticks("each")]

    def test_a_paused_schedule_may_be_run(self, store: Store):
        schedule = a_schedule(store)
        schedules_of(store).pause("each", {})
        assert fire(store, schedule, NOW) == "paused"
        assert fire(store, schedule, NOW, cause="run_now") == "fired"


class TestEnd:
    def test_after_its_last_tick_a_schedule_has_none(self, store: Store):
        schedule = a_schedule(store)
        fire(store, schedule, NOW, next_ms=None)
        assert stored(store).next_ms is None
        assert store.client.zscore(store.keys.schedules, "each") == float("inf")

    def test_no_more_jobs_than_max_runs_are_made(self, store: Store):
        schedule = a_schedule(store, max_runs=2)
        words = [fire(store, schedule, NOW + k * EVERY) for k in range(4)]
        assert words == ["fired", "fired", "changed", "changed"]
        assert stored(store).next_ms is None
        assert store.client.zcard(store.keys.jobs) == 2

    def test_schedule_without_runs_left_gets_no_tick_by_any_way(self, store: Store):
        schedule = a_schedule(store, max_runs=1)
        fire(store, schedule, NOW)
        schedules = schedules_of(store)
        schedules.pause("each", {})
        schedules.resume("each", 1, NOW + EVERY)
        assert stored(store).next_ms is None
        schedules.put("each", "{}", uid="x", next_ms=NOW + EVERY, max_runs=1)
        assert stored(store).next_ms is None
        schedules.put("each", "[]", uid="x", next_ms=NOW + EVERY, max_runs=2)
        assert store.client.zscore(store.keys.schedules, "each") == NOW + EVERY

    @pytest.mark.parametrize("change", ["definition", "another of the name", "gone"])
    def test_who_fires_an_outdated_schedule_is_told(self, store: Store, change: str):
        schedule = a_schedule(store)
        if change == "definition":
            schedules_of(store).put("each", "{}", uid="x", next_ms=NOW)
            assert fire(store, schedule._replace(version=2), NOW) == "fired"
        else:
            assert schedules_of(store).remove("each") == "removed"
        if change == "another of the name":
            schedules_of(store).put("each", "{}", uid="another", next_ms=NOW)
        before = contents(store)
        assert fire(store, schedule, NOW + EVERY) == "changed"
        assert contents(store) == before


def test_any_number_of_schedulers_make_one_job_a_tick(store: Store):
    """Each fires in order and repeats some calls; how their calls fall between each other is drawn."""
    ticks = [NOW + k * EVERY for k in range(20)]
    for seed in range(20):
        draw = random.Random(seed)
        schedule = a_schedule(store, f"s{seed}")
        left = [list(ticks) for _ in range(3)]
        fired = []
        while any(left):
            mine = draw.choice([each for each in left if each])
            tick = mine.pop(0)
            words = [
                fire(store, schedule, tick, now_ms=NOW + 20 * EVERY) for _ in range(draw.choice([1, 1, 2]))
            ]
            fired += [tick] * words.count("fired")
        assert fired == ticks
    assert store.client.zcard(store.keys.jobs) == 20 * len(ticks)


def test_tick_is_compared_as_a_number(store: Store):
    ticks = [9, 10, 999_999_999_999, 1_000_000_000_000, 9_007_199_254_740_991]
    schedule = a_schedule(store)

    assert [fire(store, schedule, tick) for tick in ticks] == ["fired"] * len(ticks)
    assert [fire(store, schedule, tick) for tick in ticks] == ["already"] * len(ticks)


def test_key_of_another_type_is_an_error_and_makes_no_job(store: Store):
    schedule = a_schedule(store)
    store.client.delete(store.keys.schedule("each"))
    store.client.set(store.keys.schedule("each"), "mine")
    before = contents(store)

    with pytest.raises(ResponseError, match="WRONGTYPE"):
        fire(store, schedule, NOW)

    assert contents(store) == before


def test_full_server_refuses_and_the_tick_can_be_fired_later(limited: Store):
    schedule = a_schedule(limited)
    fire(limited, schedule, NOW - EVERY)
    before = contents(limited)

    with out_of_memory(limited.client):
        with pytest.raises(StoreFull):
            fire(limited, schedule, NOW)
        assert contents(limited) == before
        assert fire(limited, schedule, NOW - EVERY) == "already"

    assert fire(limited, schedule, NOW) == "fired"
