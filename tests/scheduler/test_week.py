"""A week in which schedulers are killed again and again: each tick has one job.

Once as it is, where one of them leads, and once where all believe to. Then what keeps a tick from getting two jobs is
that it is compared with the last one, and the id of its job; without these two the second run fails, and it has to.
"""

import random
import re
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
@pytest.mark.parametrize("leading", ["one of them", "all of them"])
def test_three_schedulers_killed_at_random_fire_each_tick_of_a_week_once(here: Namespace, leading: str):
    begin = now_ms()
    speed = {"SPEED": str(SPEED), "START": str(START), "REAL_START": str(begin)}
    if leading == "all of them":
        speed["EVERYBODY_LEADS"] = "1"
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
    fired = [set(re.findall(r"Fired \S+: job (\S+)", each.output())) for each in here.schedulers]
    assert sum(map(len, fired)) == len(set().union(*fired))  # only who fired a tick says so
    if leading == "all of them":
        # They were at it side by side, not one after the other.
        assert sum(len(each) > 10 for each in fired) > 3
