"""The timer: whose ticks are told, and when."""

import time
from threading import Event

from scheduler.clock import Clock
from scheduler.plan import Planned
from scheduler.triggers import TickTrigger, Timer
from worker_service.jobs.schedule import Definition
from worker_service.store import ScheduleRef

NOON = 1_795_000_000_000


def planned(name: str, next_ms: int, **when: object) -> Planned:
    definition = Definition.read({"actor": "work", **when})
    return Planned(ScheduleRef(name, "uid", 1), definition, definition.timing(), next_ms)


def a_clock(now_ms: int) -> Clock:
    clock = Clock()
    clock.set(now_ms, time.monotonic())
    return clock


class TestTrigger:
    def test_first_is_the_one_that_the_store_has_however_late(self):
        clock = a_clock(NOON)
        trigger = TickTrigger(planned("a", NOON - 3_600_000, every_ms=60_000), clock)
        now = clock.here(NOON)
        at = trigger.get_next_fire_time(None, now)
        assert at is not None
        assert abs((now - at).total_seconds() - 3600) < 1

    def test_ticks_that_came_meanwhile_are_not_told_one_by_one(self):
        clock = a_clock(NOON)
        trigger = TickTrigger(planned("a", NOON - 3_600_000, every_ms=100), clock)
        first = trigger.get_next_fire_time(None, clock.here(NOON))
        second = trigger.get_next_fire_time(first, clock.here(NOON))
        assert second is not None
        assert second >= clock.here(NOON - 200)

    def test_asked_twice_it_says_the_same(self):
        clock = a_clock(NOON)
        trigger = TickTrigger(planned("a", NOON, every_ms=1_000), clock)
        first = trigger.get_next_fire_time(None, clock.here(NOON))
        second = trigger.get_next_fire_time(first, clock.here(NOON))
        assert trigger.get_next_fire_time(first, clock.here(NOON)) == second
        assert second is not None
        assert first is not None
        assert 0.9 < (second - first).total_seconds() < 1.1

    def test_schedule_without_further_ticks_ends(self):
        clock = a_clock(NOON)
        trigger = TickTrigger(planned("a", NOON, at="2026-11-18T11:06:40Z"), clock)
        first = trigger.get_next_fire_time(None, clock.here(NOON))
        assert first is not None
        assert trigger.get_next_fire_time(first, clock.here(NOON)) is None


def test_each_is_told_soon_after_its_instant_on_the_server_s_clock():
    clock = a_clock(NOON)
    told: list[tuple[str, int]] = []
    enough = Event()

    def tell(name: str) -> None:
        told.append((name, clock.now_ms()))
        if len(told) == 8:
            enough.set()

    timer = Timer(clock, tell)
    timer.start()
    timer.follow([planned("late", NOON - 5_000, every_ms=3_600_000)])
    timer.follow([planned("quick", NOON + 100, every_ms=100), planned("slow", NOON - 10, every_ms=3_600_000)])
    assert enough.wait(10)
    timer.follow([])
    timer.stop()

    assert [name for name, _ in told].count("slow") == 1
    instants = [at for name, at in told if name == "quick"]
    assert instants[0] >= NOON + 95
    assert instants == sorted(instants)
    assert instants[-1] - instants[0] < 100 * len(instants) + 50 * len(instants)
