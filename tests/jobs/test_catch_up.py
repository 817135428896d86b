"""Which of the ticks that have come are fired, by policy, grace and window."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker_service.jobs.catch_up import MOST_TICKS, Policy, newest_first, ticks_to_fire
from worker_service.jobs.cron import parse_cron
from worker_service.jobs.ticks import At, Every, Trigger, next_tick
from worker_service.jobs.time_zones import read_time_zone

UTC = read_time_zone("UTC")
PARIS = read_time_zone("Europe/Paris")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
YEAR = 365 * DAY
NOW = 1_790_000_040_000
HOURLY = Trigger(Every(HOUR))
NEWEST = NOW // HOUR * HOUR


def to_fire(policy: Policy = "all", **given: Any) -> list[int]:
    asked: dict[str, Any] = {
        "last_ms": NEWEST - 5 * HOUR,
        "now_ms": NEWEST + MINUTE,
        "grace_ms": 10_000,
        "window_ms": YEAR,
    } | given
    return ticks_to_fire(asked.pop("trigger", HOURLY), UTC, policy=policy, **asked)


class TestLateTicks:
    def test_skip_fires_none(self):
        assert to_fire("skip") == []

    def test_latest_fires_the_newest(self):
        assert to_fire("latest") == [NEWEST]

    def test_all_fires_each_in_order(self):
        assert to_fire("all") == [NEWEST - hours * HOUR for hours in (4, 3, 2, 1, 0)]

    @pytest.mark.parametrize("policy", ["skip", "latest", "all"])
    def test_what_was_fired_is_not_fired_again(self, policy: Policy):
        assert to_fire(policy, last_ms=NEWEST) == []

    def test_those_before_the_window_are_not_fired(self):
        assert to_fire("all", window_ms=2 * HOUR + MINUTE) == [NEWEST - 2 * HOUR, NEWEST - HOUR, NEWEST]
        assert to_fire("all", window_ms=2 * HOUR + MINUTE - 1) == [NEWEST - HOUR, NEWEST]
        assert to_fire("latest", window_ms=MINUTE - 1) == []

    def test_of_very_many_the_newest_are_fired_in_time(self):
        began = time.process_time()
        millions = to_fire(trigger=Trigger(Every(100)), last_ms=0)
        minutes = to_fire(trigger=Trigger(parse_cron("* * * * *")), last_ms=0)
        assert time.process_time() - began < 1
        assert millions == list(range(NEWEST + MINUTE - 999 * 100, NEWEST + MINUTE + 1, 100))
        assert minutes == list(range(NEWEST - 998 * MINUTE, NEWEST + MINUTE + 1, MINUTE))


class TestTicksInTime:
    @pytest.mark.parametrize("policy", ["skip", "latest", "all"])
    def test_all_are_fired_whatever_the_policy_and_the_window(self, policy: Policy):
        found = to_fire(policy, last_ms=NEWEST - 2 * HOUR, grace_ms=HOUR + MINUTE, window_ms=0)
        assert found == [NEWEST - HOUR, NEWEST]

    def test_tick_as_old_as_the_grace_is_in_time(self):
        assert to_fire("skip", grace_ms=MINUTE) == [NEWEST]
        assert to_fire("skip", grace_ms=MINUTE - 1) == []

    def test_late_one_is_not_fired_beside_them_when_only_the_latest_counts(self):
        assert to_fire("latest", now_ms=NEWEST, grace_ms=0) == [NEWEST]

    def test_late_ones_are_fired_first_when_all_count(self):
        assert to_fire("all", now_ms=NEWEST, last_ms=NEWEST - 2 * HOUR) == [NEWEST - HOUR, NEWEST]

    def test_they_are_bounded_too(self):
        found = to_fire("all", trigger=Trigger(Every(100)), last_ms=0, grace_ms=DAY)
        assert (len(found), found[-1]) == (MOST_TICKS, NEWEST + MINUTE)


def test_nothing_is_fired_before_its_instant():
    assert to_fire(trigger=Trigger(At(NEWEST + MINUTE + 1))) == []
    assert to_fire(trigger=Trigger(At(NEWEST + MINUTE))) == [NEWEST + MINUTE]


def test_clock_that_was_set_back_fires_nothing():
    assert to_fire(now_ms=NEWEST - 6 * HOUR) == []


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(
    st.sampled_from(["*/7 * * * *", "0,30 1-3 * * *", "30 2 * * *", "0 0 1 * mon", "0 0 29 2 *"]),
    st.integers(0, 4 * YEAR),
    st.integers(0, 3 * DAY) | st.integers(0, YEAR // 12),
)
def test_newest_first_is_the_list_of_next_ticks_backwards(cron: str, ago: int, span: int):
    trigger, after, listed = Trigger(parse_cron(cron)), NOW - ago, []
    tick = next_tick(trigger, after, PARIS)
    while tick is not None and tick <= after + span:
        listed.append(tick)
        tick = next_tick(trigger, tick, PARIS)
    assert list(newest_first(trigger, PARIS, after, after + span)) == listed[::-1]
