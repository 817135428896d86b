"""Everything real: three schedulers, a worker, jobs of each second, and what goes wrong on the way."""

import signal

from tests.scheduler.processes import Namespace, every_tick, now_ms
from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.schedule import Definition

SECOND = 1000
NAMES = ("one", "two", "three")


def test_each_second_has_one_job_that_runs_once_though_redis_and_a_scheduler_are_killed(
    there: Namespace, own_server: EmbeddedServer
):
    for _ in range(3):
        there.scheduler({})
    there.worker()
    for name in NAMES:
        given = {"actor": "note", "args": {"name": name}, "every_ms": SECOND, "overlap": "allow_all"}
        definition = Definition.read(given)
        next_ms = definition.timing().next(there.schedules.now_ms())
        there.schedules.put(name, definition.to_text(), uid=name, next_ms=next_ms)
    wait_until(lambda: all(there.notes(name) for name in NAMES), timeout=30)
    begin = now_ms()
    wait_until(lambda: now_ms() > begin + 3 * SECOND)

    own_server.kill()
    away = now_ms()
    wait_until(lambda: now_ms() > away + 2 * SECOND)
    own_server.start()
    wait_until(lambda: max(there.ticks_of("one"), default=0) > away + 4 * SECOND, timeout=30)
    there.leading().send(signal.SIGKILL)
    killed = now_ms()

    for name in NAMES:
        wait_until(lambda name=name: max(there.ticks_of(name)) > killed + 2 * SECOND, timeout=30)  # type: ignore[misc]
        there.schedules.pause(name, {})
    for name in NAMES:
        found = there.ticks_of(name)
        assert found == every_tick(found, SECOND)
        assert min(found) <= begin
        jobs = sum(found.values())
        wait_until(lambda name=name, jobs=jobs: len(there.notes(name)) >= jobs, timeout=30)  # type: ignore[misc]
        assert len(there.notes(name)) == jobs
        assert set(there.notes(name).values()) == {1}
