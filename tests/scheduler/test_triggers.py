"""The clock: which instants are told, and when."""

from datetime import UTC, datetime, timedelta
from threading import Event
from time import time_ns

import pytest

from scheduler.schedules import Schedule
from scheduler.triggers import EveryTrigger, instant, timer

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_first_tick_is_the_newest_that_has_come():
    trigger = EveryTrigger(900_000)

    assert trigger.get_next_fire_time(None, NOON + timedelta(minutes=14, seconds=59)) == NOON
    assert trigger.get_next_fire_time(None, NOON + timedelta(minutes=15)) == NOON + timedelta(minutes=15)


def test_each_tick_follows_the_one_before():
    trigger = EveryTrigger(900_000)

    assert trigger.get_next_fire_time(NOON, NOON + timedelta(milliseconds=3)) == NOON + timedelta(minutes=15)


def test_after_a_pause_it_goes_on_with_the_newest():
    trigger = EveryTrigger(100)

    assert trigger.get_next_fire_time(NOON, NOON + timedelta(hours=1)) == NOON + timedelta(hours=1)


def test_clock_that_was_set_back_repeats_no_tick():
    trigger = EveryTrigger(900_000)

    assert trigger.get_next_fire_time(NOON, NOON - timedelta(hours=3)) == NOON + timedelta(minutes=15)


@pytest.mark.parametrize("every_ms", [100, 333, 7_001, 86_400_000, 366 * 86_400_000])
def test_ticks_are_multiples_of_the_interval_since_the_epoch(every_ms: int):
    trigger = EveryTrigger(every_ms)

    at = None
    for _ in range(50):
        at = trigger.get_next_fire_time(at, NOON)
        assert int(at.timestamp() * 1000) % every_ms == 0
        assert at.microsecond % 1000 == 0


@pytest.mark.parametrize("tick_ms", [0, 999, 1_763_812_800_001, 253_402_300_799_999])
def test_instant_keeps_every_millisecond(tick_ms: int):
    assert EveryTrigger(1).get_next_fire_time(None, instant(tick_ms)) == instant(tick_ms)


def test_timer_tells_the_newest_tick_at_once_and_then_each_soon_after_its_instant():
    told: list[tuple[str, int, int]] = []
    enough = Event()

    def tell(name: str, tick_ms: int) -> None:
        told.append((name, tick_ms, time_ns() // 1_000_000))
        if sum(each[0] == "quick" for each in told) == 6:
            enough.set()

    clock = timer([Schedule("quick", 100), Schedule("slow", 3_600_000)], tell)
    begin = time_ns() // 1_000_000
    clock.start()
    assert enough.wait(10)
    clock.shutdown()

    quick = [tick for name, tick, _ in told if name == "quick"]
    assert quick[0] <= begin + 100
    assert set(quick) <= set(range(quick[0], quick[-1] + 1, 100))
    assert quick == sorted(set(quick))
    assert all(at >= tick for _, tick, at in told)
    assert [tick % 3_600_000 for name, tick, _ in told if name == "slow"] == [0]
