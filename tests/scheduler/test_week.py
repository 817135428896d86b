"""A week in which schedulers are killed again and again: each tick has one job."""

import random
import signal
from collections import Counter

import pytest

from tests.scheduler.processes import Namespace, now_ms
from tests.waiting import wait_until
from worker_service.jobs.instants import to_ms
from worker_service.jobs.schedule import Definition

SPEED = 20_000.0
START = to_ms("2026-10-21T22:00:00Z")  # clocks are set back in Paris on the 25th
WEEK = 7 * 24 * 3_600_000

SCHEDULES: dict[str, dict[str, object]] = {
    "quarterly": {"cron": "*/15 * * * *"},
    "hourly": {"cron": "7 * * * *", "timezone": "Europe/Paris"},
    "nightly": {"cron": "30 2 * * *", "timezone": "Europe/Paris"},
    "every": {"every_ms": 1_000_000},
}


@pytest.mark.soak
def test_three_schedulers_killed_at_random_fire_each_tick_of_a_week_once(here: Namespace):
    begin = now_ms()
    speed = {"SPEED": str(SPEED), "START": str(START), "REAL_START": str(begin)}
    definitions = {
        name: Definition.read({"actor": "cleanup_temp", "catch_up": "all", "overlap": "allow_all", **when})
        for name, when in SCHEDULES.items()
    }
    for name, definition in definitions.items():
        next_ms = definition.timing().next(START)
        here.schedules.put(name, definition.to_text(), uid=name, next_ms=next_ms)

    def virtual_ms() -> float:
        return START + (now_ms() - begin) * SPEED

    draw = random.Random(7)
    running = [here.scheduler({}, script="fast_week.py", **speed) for _ in range(3)]
    kill_at = now_ms() + 3_000
    while virtual_ms() < START + WEEK:
        wait_until(lambda at=kill_at: now_ms() > at, timeout=20)  # type: ignore[misc]
        leader = here.leading()  # or who was, when it was killed just now
        victim = leader if leader in running and draw.random() < 0.7 else draw.choice(running)
        victim.send(signal.SIGKILL)
        victim.main.wait()
        running[running.index(victim)] = here.scheduler({}, script="fast_week.py", **speed)
        kill_at = now_ms() + draw.randint(500, 5_000)

    for name, definition in definitions.items():
        expected = Counter(definition.timing().between(START, START + WEEK, 10_000))
        last = max(expected)
        wait_until(
            lambda name=name, last=last: max(here.ticks_of(name), default=0) > last,  # type: ignore[misc]
            timeout=30,
            message=f"{name} did not get to the end of the week",
        )
        found = Counter({tick: n for tick, n in here.ticks_of(name).items() if tick <= START + WEEK})
        assert found == expected
