"""Real schedulers on a real server: killed, stopped, without their server, and told to end."""

import os
import re
import signal

import pytest

from tests.scheduler.processes import Namespace, every_tick, now_ms
from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.intervals import tick_before

HOUR = 3_600_000


def test_three_schedulers_make_one_job_a_tick_though_one_is_killed(here: Namespace):
    schedulers = [here.scheduler({"beat": 500}) for _ in range(3)]
    for each in schedulers:
        each.wait_until_it_says("Schedules: beat")
    begin = now_ms()
    here.wait_for_tick(begin + 1500)
    schedulers[0].send(signal.SIGKILL)
    here.wait_for_tick(begin + 4000)

    found = here.ticks()

    assert found == every_tick(found, 500)
    assert min(found) <= begin + 500
    fired = [re.findall(r"Fired beat of (\S+):", each.output()) for each in schedulers]
    assert len(set().union(*fired)) == sum(map(len, fired))  # only who fired a tick says so


def test_schedule_that_was_never_fired_begins_with_its_next_tick(here: Namespace):
    here.scheduler({"beat": 200, "hourly": HOUR})
    begin = now_ms()

    here.wait_for_tick(begin + 1000)

    assert min(here.ticks()) > begin
    assert set(here.ticks("hourly")) <= {tick_before(now_ms(), HOUR)} - {tick_before(begin, HOUR)}


def test_newest_of_the_missed_ticks_is_fired_once_at_the_start(here: Namespace):
    begin = now_ms()
    missed_since = tick_before(begin, HOUR) - 5 * HOUR
    here.client.hset(here.store.keys.schedule("hourly"), "last", str(missed_since))

    here.scheduler({"hourly": HOUR})
    here.scheduler({"hourly": HOUR})

    here.wait_for_tick(begin - HOUR, "hourly")
    found = here.ticks("hourly")
    assert set(found.values()) == {1}
    assert set(found) <= {tick_before(begin, HOUR), tick_before(now_ms(), HOUR)}


def test_ticks_of_an_outage_are_fired_when_the_server_is_back(there: Namespace, own_server: EmbeddedServer):
    schedulers = [there.scheduler({"beat": 500}) for _ in range(2)]
    for each in schedulers:
        each.wait_until_it_says("Schedules")
    begin = now_ms()
    there.wait_for_tick(begin + 1000)

    own_server.kill()
    for each in schedulers:
        each.wait_until_it_says("Firing waits")
    away = now_ms()
    wait_until(lambda: now_ms() > away + 2000)
    own_server.start()
    back = now_ms()
    there.wait_for_tick(back + 1000)

    found = there.ticks()
    assert found == every_tick(found, 500)
    assert min(found) < away < back < max(found)
    for each in schedulers:
        assert each.main.poll() is None
        assert each.output().count("Firing waits") == 1


def test_scheduler_may_start_before_its_server(there: Namespace, own_server: EmbeddedServer):
    there.store.check_schema()
    there.client.hset(there.store.keys.schedule("beat"), "last", "500")
    own_server.kill()
    scheduler = there.scheduler({"beat": 500})
    scheduler.wait_until_it_says("Waiting: ")
    begin = now_ms()
    wait_until(lambda: now_ms() > begin + 1500)

    own_server.start()

    there.wait_for_tick(begin + 2000)
    found = there.ticks()
    assert found == every_tick(found, 500)
    assert min(found) < begin


def test_scheduler_that_was_held_up_a_moment_fires_what_came_meanwhile(here: Namespace):
    scheduler = here.scheduler({"beat": 200})
    begin = now_ms()
    here.wait_for_tick(begin + 400)

    scheduler.send(signal.SIGSTOP)
    stopped = now_ms()
    wait_until(lambda: now_ms() > stopped + 1500)
    scheduler.send(signal.SIGCONT)

    here.wait_for_tick(stopped + 2000)
    found = here.ticks()
    assert found == every_tick(found, 200)


def test_held_up_scheduler_doubles_nothing_that_another_fired(here: Namespace):
    first, _ = here.scheduler({"beat": 200}), here.scheduler({"beat": 200})
    begin = now_ms()
    here.wait_for_tick(begin + 400)

    first.send(signal.SIGSTOP)
    here.wait_for_tick(begin + 2400)
    first.send(signal.SIGCONT)

    here.wait_for_tick(begin + 3400)
    found = here.ticks()
    assert found == every_tick(found, 200)


class TestEnd:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_it_ends_with_0(self, here: Namespace, number: int):
        scheduler = here.scheduler({"beat": 200})
        here.wait_for_tick(1)

        assert scheduler.stop(number)[0] == 0

        assert "Traceback" not in scheduler.output()

    @pytest.mark.bound
    def test_it_ends_within_a_second(self, here: Namespace):
        scheduler = here.scheduler({"beat": 200})
        here.wait_for_tick(1)

        assert scheduler.stop()[1] < 1.0

    @pytest.mark.bound
    @pytest.mark.parametrize("said", ["Schedules", "Fired"])
    def test_a_server_that_does_not_answer_holds_up_nothing(
        self, there: Namespace, own_server: EmbeddedServer, said: str
    ):
        scheduler = there.scheduler({"beat": 100})
        scheduler.wait_until_it_says(said)
        assert own_server.pid
        os.kill(own_server.pid, signal.SIGSTOP)
        try:
            begin = now_ms()
            wait_until(lambda: now_ms() > begin + 300)

            code, seconds = scheduler.stop()
        finally:
            os.kill(own_server.pid, signal.SIGCONT)

        assert code == 0
        assert seconds < 1.0

    def test_without_its_server_it_ends_too(self, there: Namespace, own_server: EmbeddedServer):
        own_server.kill()
        scheduler = there.scheduler({"beat": 100})
        scheduler.wait_until_it_says("Waiting: ")

        assert scheduler.stop()[0] == 0

    def test_without_schedules_it_says_so_and_stays(self, here: Namespace):
        scheduler = here.scheduler({})

        scheduler.wait_until_it_says("No schedules")

        assert scheduler.main.poll() is None
        assert scheduler.stop()[0] == 0


class TestRefusedStart:
    def test_wrong_setting_is_one_clear_message(self, here: Namespace):
        scheduler = here.scheduler({}, JOBS_REDIS_ULR="redis://x")

        assert scheduler.main.wait(20) == 1
        assert "JOBS_REDIS_URL" in scheduler.output()
        assert "Traceback" not in scheduler.output()

    def test_interval_that_is_too_short_names_the_actor(self, here: Namespace):
        scheduler = here.scheduler({"beat": 99})

        assert scheduler.main.wait(20) == 1
        assert "beat: every=99" in scheduler.output()
        assert "Traceback" not in scheduler.output()

    def test_data_of_a_newer_version(self, here: Namespace):
        here.client.hset(here.store.keys.meta, "schema", "99")
        scheduler = here.scheduler({"beat": 200})

        assert scheduler.main.wait(20) == 1
        assert "schema 99" in scheduler.output()
        assert not here.ticks()
