"""When schedules are due: what clocks do twice a year, first and last instants, and jitter."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from worker_service.jobs.cron import parse_cron
from worker_service.jobs.errors import InvalidJob
from worker_service.jobs.ticks import LAST_TICK_MS, At, Every, Trigger, jittered, next_tick
from worker_service.jobs.time_zones import read_time_zone

UTC = read_time_zone("UTC")
PARIS = "Europe/Paris"


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def ticks(cron: str, zone: str, after: str) -> Iterator[str]:
    """As that zone's clocks show them, with their offset."""
    trigger, found = Trigger(parse_cron(cron)), read_time_zone(zone)
    tick = next_tick(trigger, ms(after), found)
    while tick is not None:
        yield datetime.fromtimestamp(tick / 1000, found).isoformat(" ", "minutes")
        tick = next_tick(trigger, tick, found)


def first(count: int, found: Iterator[str]) -> list[str]:
    return [next(found) for _ in range(count)]


class TestClocksPutForward:
    """In Paris in 2026 on March 29, from 02:00 to 03:00."""

    def test_fixed_time_that_is_left_out_is_due_at_the_end_of_it(self):
        assert first(3, ticks("30 2 * * *", PARIS, "2026-03-28T00:00Z")) == [
            "2026-03-28 02:30+01:00",
            "2026-03-29 03:00+02:00",
            "2026-03-30 02:30+02:00",
        ]

    @pytest.mark.parametrize("cron", ["0,20,40 2 * * *", "0 2,3 * * *", "0,30 2 * 3 sun"])
    def test_several_that_are_left_out_are_due_once(self, cron: str):
        found = first(2, ticks(cron, PARIS, "2026-03-29T00:00Z"))
        assert found[0] == "2026-03-29 03:00+02:00"
        assert found[1] > "2026-03-29 03:00+02:00"

    def test_real_time_goes_on_without_what_is_left_out(self):
        assert first(4, ticks("*/20 * * * *", PARIS, "2026-03-29T00:20Z")) == [
            "2026-03-29 01:40+01:00",
            "2026-03-29 03:00+02:00",
            "2026-03-29 03:20+02:00",
            "2026-03-29 03:40+02:00",
        ]

    def test_real_time_within_what_is_left_out_is_not_due_that_day(self):
        assert first(1, ticks("*/20 2 * * *", PARIS, "2026-03-29T00:00Z")) == ["2026-03-30 02:00+02:00"]

    def test_half_an_hour_that_is_left_out(self):
        assert first(2, ticks("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00Z")) == [
            "2026-10-04 02:30+11:00",
            "2026-10-05 02:15+11:00",
        ]

    def test_midnight_that_is_left_out(self):
        found = ticks("@daily", "America/Sao_Paulo", "2018-11-03T12:00Z")
        assert first(2, found) == ["2018-11-04 01:00-02:00", "2018-11-05 00:00-02:00"]

    def test_day_that_is_left_out_is_made_up_for_at_the_start_of_the_next(self):
        assert first(3, ticks("0 9,17 * * *", "Pacific/Apia", "2011-12-29T20:00Z")) == [
            "2011-12-29 17:00-10:00",
            "2011-12-31 00:00+14:00",
            "2011-12-31 09:00+14:00",
        ]
        found = ticks("0 9 30 * *", "Pacific/Apia", "2011-12-01T00:00Z")
        assert first(2, found) == ["2011-12-31 00:00+14:00", "2012-01-30 09:00+14:00"]

    def test_in_years_to_come_by_the_rules_of_today(self):
        assert first(1, ticks("30 2 29 3 *", PARIS, "2099-01-01T00:00Z")) == ["2099-03-29 03:00+02:00"]


class TestClocksSetBack:
    """In Paris in 2026 on October 25, from 03:00 to 02:00."""

    def test_fixed_time_that_is_shown_twice_is_due_the_first_time(self):
        assert first(3, ticks("0,30 2 * * *", PARIS, "2026-10-24T12:00Z")) == [
            "2026-10-25 02:00+02:00",
            "2026-10-25 02:30+02:00",
            "2026-10-26 02:00+01:00",
        ]

    def test_fixed_time_that_is_asked_for_while_it_is_shown_again_has_been_due(self):
        assert first(1, ticks("0,30 2 * * *", PARIS, "2026-10-25T01:10Z")) == ["2026-10-26 02:00+01:00"]
        assert first(1, ticks("0,30 2,3 * * *", PARIS, "2026-10-25T01:10Z")) == ["2026-10-25 03:00+01:00"]

    def test_real_time_is_due_as_often_as_it_is_shown(self):
        assert first(6, ticks("*/30 2 * * *", PARIS, "2026-10-24T12:00Z")) == [
            "2026-10-25 02:00+02:00",
            "2026-10-25 02:30+02:00",
            "2026-10-25 02:00+01:00",
            "2026-10-25 02:30+01:00",
            "2026-10-26 02:00+01:00",
            "2026-10-26 02:30+01:00",
        ]

    def test_half_an_hour_that_is_shown_twice(self):
        assert first(2, ticks("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00Z")) == [
            "2026-04-05 01:45+11:00",
            "2026-04-06 01:45+10:30",
        ]

    def test_midnight_that_is_shown_twice(self):
        found = ticks("@daily", "America/St_Johns", "2010-11-06T12:00Z")
        assert first(2, found) == ["2010-11-07 00:00-02:30", "2010-11-08 00:00-03:30"]


class TestRules:
    def test_every_is_aligned_to_the_epoch(self):
        trigger = Trigger(Every(600_000))
        assert next_tick(trigger, 0, UTC) == 600_000
        assert next_tick(trigger, 599_999, UTC) == 600_000
        assert next_tick(trigger, 600_000, UTC) == 1_200_000
        assert next_tick(trigger, -5, UTC) == 0

    def test_at_is_due_once(self):
        trigger = Trigger(At(1_500))
        assert next_tick(trigger, 1_499, UTC) == 1_500
        assert next_tick(trigger, 1_500, UTC) is None

    @pytest.mark.parametrize("when", [Every(60_000), parse_cron("* * * * *")])
    def test_first_and_last_instant_count(self, when):
        trigger = Trigger(when, start_ms=120_000, end_ms=180_000)
        assert next_tick(trigger, 0, UTC) == 120_000
        assert next_tick(trigger, 120_000, UTC) == 180_000
        assert next_tick(trigger, 180_000, UTC) is None
        assert next_tick(Trigger(when, start_ms=120_001, end_ms=179_999), 0, UTC) is None

    @pytest.mark.parametrize("when", [Every(60_000), parse_cron("* * * * *"), At(10**17)])
    def test_no_tick_comes_after_the_last_year(self, when):
        assert next_tick(Trigger(when), LAST_TICK_MS, UTC) is None
        assert next_tick(Trigger(when), 10**17, UTC) is None

    @pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
    def test_first_and_last_days_are_looked_for_without_an_error(self, zone: str):
        trigger = Trigger(parse_cron("0 0 29 2 *"))
        assert next_tick(trigger, -(10**17), read_time_zone(zone)) is not None
        assert next_tick(trigger, LAST_TICK_MS - 1, read_time_zone(zone)) is None

    @pytest.mark.parametrize("cron", ["30 2 29 2 *", "0 0 29 2 */7", "* * * * *", "30 2 29 3 *"])
    def test_far_tick_is_found_without_a_look_at_each_minute(self, cron: str):
        trigger, zone = Trigger(parse_cron(cron)), read_time_zone(PARIS)
        began = time.process_time()
        for year in range(2000, 2100):
            assert next_tick(trigger, ms(f"{year}-03-01T00:00Z"), zone) is not None
        assert time.process_time() - began < 0.1


class TestTimeZones:
    @pytest.mark.parametrize(
        ("name", "nearest"),
        [
            ("Europe/Pariss", "Europe/Paris"),
            ("europe/paris", "Europe/Paris"),
            ("America/NewYork", "New_York"),
        ],
    )
    def test_unknown_one_is_refused_with_the_nearest(self, name: str, nearest: str):
        with pytest.raises(InvalidJob, match=nearest) as refused:
            read_time_zone(name)
        assert refused.value.code == "unknown_time_zone"

    @pytest.mark.parametrize(
        "name", ["", "localtime", "America", "right/UTC", "../UTC", "/etc/localtime", "x" * 10**6, "a\x00b"]
    )
    def test_what_is_none_on_every_machine_is_refused(self, name: str):
        with pytest.raises(InvalidJob) as refused:
            read_time_zone(name)
        assert len(str(refused.value)) < 1000


class TestJitter:
    def test_is_the_same_in_every_process(self):
        assert jittered(1_000_000, "nightly", 60_000) == 1_012_556

    def test_depends_on_the_schedule_and_reaches_both_ends(self):
        assert {jittered(7, str(number), 3) for number in range(100)} == {7, 8, 9, 10}

    def test_of_zero_is_none(self):
        assert jittered(7, "nightly", 0) == 7

    def test_keeps_the_distance_between_ticks(self):
        assert jittered(8, "nightly", 10**6) - jittered(7, "nightly", 10**6) == 1
