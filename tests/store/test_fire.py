"""fire: a tick of a schedule gets one job, whoever fires it and however often."""

import random

import pytest
from redis.exceptions import ResponseError

from tests.store.builders import (
    NOW,
    a_job,
    a_session,
    claim,
    contents,
    fields_of,
    ids,
    is_marked,
    out_of_memory,
    take_mark,
)
from worker_service.jobs.errors import StoreFull
from worker_service.jobs.states import State
from worker_service.store import NewJob, Queries, Store

EVERY = 60_000


def job_of(tick: int) -> NewJob:
    return a_job(f"tick-{tick}", run_at_ms=tick)


def fire(store: Store, tick: int, *, schedule: str = "clean", now_ms: int = NOW) -> str:
    return store.fire(schedule, tick, job_of(tick), now_ms=now_ms)


class TestFirst:
    def test_tick_that_has_come_is_queued(self, store: Store, reads: Queries):
        assert fire(store, NOW) == "fired"

        job = reads.job(f"tick-{NOW}")
        assert job is not None
        assert (job.state, job.created_at_ms, job.due_at_ms) == (State.QUEUED, NOW, NOW)
        assert is_marked(store)
        assert reads.schedule("clean").last_ms == NOW
        assert reads.totals("work") == {"enqueued": 1}

    def test_tick_of_a_clock_that_is_ahead_waits_for_its_instant(self, store: Store):
        a_session(store)

        assert fire(store, NOW + 1_500) == "fired"

        assert fields_of(store, f"tick-{NOW + 1_500}")["state"] == "scheduled"
        assert claim(store, now_ms=NOW + 1_499).jobs == []
        assert len(claim(store, now_ms=NOW + 1_500).jobs) == 1

    def test_schedules_have_ticks_of_their_own(self, store: Store):
        assert store.fire("one", NOW, a_job("one"), now_ms=NOW) == "fired"
        assert store.fire("two", NOW - EVERY, a_job("two"), now_ms=NOW) == "fired"
        assert ids(store, store.keys.ready("default")) == ["one", "two"]


class TestRepeated:
    def test_same_call_changes_nothing(self, store: Store):
        fire(store, NOW)
        before = contents(store)

        assert fire(store, NOW, now_ms=NOW + 5) == "already"

        assert contents(store) == before

    def test_mark_is_not_set_again(self, store: Store):
        fire(store, NOW)
        take_mark(store)

        fire(store, NOW)

        assert not is_marked(store)

    def test_earlier_tick_makes_no_job(self, store: Store):
        fire(store, NOW)

        assert fire(store, NOW - EVERY) == "already"

        assert ids(store, store.keys.jobs) == [f"tick-{NOW}"]

    def test_job_that_was_pruned_is_not_made_again(self, store: Store):
        fire(store, NOW)
        store.cancel(f"tick-{NOW}", now_ms=NOW)
        assert store.prune({"cancelled": (0, 0)}, now_ms=NOW + 1) == (1, False)

        assert fire(store, NOW) == "already"

        assert ids(store, store.keys.jobs) == []

    def test_job_that_is_there_is_left_alone_when_the_schedule_was_removed(
        self, store: Store, reads: Queries
    ):
        fire(store, NOW)
        store.client.delete(store.keys.schedule("clean"))

        assert fire(store, NOW) == "already"

        assert reads.totals("work") == {"enqueued": 1}
        assert reads.schedule("clean").last_ms == NOW


def test_any_number_of_schedulers_make_one_job_a_tick(store: Store):
    """Each fires in order and repeats some calls; how their calls fall between each other is drawn."""
    ticks = [NOW + k * EVERY for k in range(20)]
    for seed in range(20):
        draw = random.Random(seed)
        schedule = f"s{seed}"
        left = [list(ticks) for _ in range(3)]
        fired = []
        while any(left):
            mine = draw.choice([each for each in left if each])
            tick = mine.pop(0)
            for _ in range(draw.choice([1, 1, 2])):
                job = a_job(f"{schedule}-{tick}", run_at_ms=tick)
                if store.fire(schedule, tick, job, now_ms=NOW + 20 * EVERY) == "fired":
                    fired.append(tick)
        assert fired == ticks
    assert store.client.zcard(store.keys.jobs) == 20 * len(ticks)


def test_tick_is_compared_as_a_number(store: Store):
    ticks = [9, 10, 999_999_999_999, 1_000_000_000_000, 9_007_199_254_740_991]

    assert [fire(store, tick) for tick in ticks] == ["fired"] * len(ticks)
    assert [fire(store, tick) for tick in ticks] == ["already"] * len(ticks)


def test_key_of_another_type_is_an_error_and_makes_no_job(store: Store):
    store.client.set(store.keys.schedule("clean"), "mine")
    before = contents(store)

    with pytest.raises(ResponseError, match="WRONGTYPE"):
        fire(store, NOW)

    assert contents(store) == before


def test_full_server_refuses_and_the_tick_can_be_fired_later(limited: Store):
    fire(limited, NOW - EVERY)
    before = contents(limited)

    with out_of_memory(limited.client):
        with pytest.raises(StoreFull):
            fire(limited, NOW)
        assert contents(limited) == before
        assert fire(limited, NOW - EVERY) == "already"

    assert fire(limited, NOW) == "fired"


def test_state_is_read_with_the_server_s_clock(store: Store, reads: Queries):
    never = reads.schedule("clean")
    fire(store, NOW)

    seconds, microseconds = store.client.time()
    now = seconds * 1000 + microseconds // 1000
    assert never.last_ms is None
    assert now - 5_000 < never.now_ms <= now
    assert reads.schedule("clean").last_ms == NOW
    assert reads.schedule("clean").now_ms >= now
