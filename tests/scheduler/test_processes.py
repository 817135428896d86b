"""Real schedulers on a real server: killed, stopped, without their server, and told to end."""

import json
import os
import re
import signal
from collections.abc import Callable

import pytest
import redis

from tests.scheduler.processes import Namespace, every_tick, now_ms
from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.intervals import tick_before
from worker_service.jobs.schedule import Definition
from worker_service.store.keys import Keys

HOUR = 3_600_000


def test_three_schedulers_make_one_job_a_tick_though_the_one_that_fires_is_killed(here: Namespace):
    schedulers = [here.scheduler({"beat": 500}) for _ in range(3)]
    here.wait_for_tick(1)
    begin = now_ms()
    here.wait_for_tick(begin + 1500)
    here.leading().send(signal.SIGKILL)
    here.wait_for_tick(begin + 7000)

    found = here.ticks()

    assert found == every_tick(found, 500)
    assert min(found) <= begin + 500
    fired = [re.findall(r"Fired beat: job (\S+)", each.output()) for each in schedulers]
    assert len(set().union(*fired)) == sum(map(len, fired))  # only who fired a tick says so
    assert sum(map(bool, fired)) == 2


@pytest.mark.bound
def test_ticks_are_at_most_five_seconds_late_when_the_one_that_fires_is_killed(here: Namespace):
    for _ in range(2):
        here.scheduler({"beat": 100})
    here.wait_for_tick(1)
    here.leading().send(signal.SIGKILL)
    killed = now_ms()
    wait_until(lambda: here.made_since(killed + 100), timeout=20)
    assert now_ms() - killed < 5_000


def test_schedule_that_was_never_fired_begins_with_its_next_tick(here: Namespace):
    begin = now_ms()
    here.scheduler({"beat": 200, "hourly": HOUR})

    here.wait_for_tick(begin + 1000)

    assert min(here.ticks()) > begin
    assert set(here.ticks("hourly")) <= {tick_before(now_ms(), HOUR)} - {tick_before(begin, HOUR)}


def test_newest_of_the_missed_ticks_is_fired_once_at_the_start(here: Namespace):
    begin = now_ms()
    here.was_declared("hourly", HOUR, tick_before(begin, HOUR) - 5 * HOUR)

    here.scheduler({"hourly": HOUR})
    here.scheduler({"hourly": HOUR})

    here.wait_for_tick(begin - HOUR, "hourly")
    found = here.ticks("hourly")
    assert set(found.values()) == {1}
    assert set(found) <= {tick_before(begin, HOUR), tick_before(now_ms(), HOUR)}
    fired, missed = here.schedules.history("hourly", 2)
    assert (fired.outcome, missed.outcome, missed.count) == ("fired", "missed", 5)


def test_those_that_have_much_to_catch_up_with_hold_up_no_other(here: Namespace):
    begin = now_ms()
    many = [f"much{number}" for number in range(5)]
    for name in many:
        here.was_declared(name, 100, begin - 50_000)  # 500 ticks, all of the last minute
    here.was_declared("beat", 500, begin - 1_000)

    here.scheduler({**dict.fromkeys(many, 100), "beat": 500})
    for name in ("beat", *many):
        here.wait_for_tick(begin, name, timeout=40)

    made = here.jobs()
    first = next(n for n, job in enumerate(made) if job.actor == "beat" and (job.tick_ms or 0) >= begin)
    # Not after the third round as a rule, but what was changed when its turn came is looked at again a second later.
    assert sum(job.actor in many for job in made[:first]) < 5 * 500
    for name in many:
        found = here.ticks(name)
        assert found == every_tick(found, 100)
        assert len(found) >= 500


def test_ticks_of_an_outage_are_fired_when_the_server_is_back(there: Namespace, own_server: EmbeddedServer):
    schedulers = [there.scheduler({"beat": 500}) for _ in range(2)]
    there.wait_for_tick(1)
    begin = now_ms()
    there.wait_for_tick(begin + 1000)

    own_server.kill()
    for each in schedulers:
        each.wait_until_it_says("Waiting: ")
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
        assert each.output().count("Waiting: ") == 1


def test_scheduler_may_start_before_its_server(there: Namespace, own_server: EmbeddedServer):
    there.store.check_schema()
    begin = now_ms()
    there.was_declared("beat", 500, tick_before(begin, 500))
    own_server.kill()
    scheduler = there.scheduler({"beat": 500})
    scheduler.wait_until_it_says("Waiting: ")
    own_server.start()

    there.wait_for_tick(begin + 2000)
    found = there.ticks()
    assert found == every_tick(found, 500)
    assert min(found) <= begin


def test_scheduler_that_was_held_up_a_moment_fires_what_came_meanwhile(here: Namespace):
    scheduler = here.scheduler({"beat": 200})
    here.wait_for_tick(1)

    scheduler.send(signal.SIGSTOP)
    stopped = now_ms()
    wait_until(lambda: now_ms() > stopped + 1500)
    scheduler.send(signal.SIGCONT)

    here.wait_for_tick(stopped + 2000)
    found = here.ticks()
    assert found == every_tick(found, 200)


def test_held_up_leader_doubles_nothing_that_another_fired(here: Namespace):
    for _ in range(2):
        here.scheduler({"beat": 200})
    here.wait_for_tick(1)

    leader = here.leading()
    leader.send(signal.SIGSTOP)
    stopped = now_ms()
    here.wait_for_tick(stopped + 1000)
    assert here.leading() is not leader
    leader.send(signal.SIGCONT)
    leader.wait_until_it_says("Another scheduler leads")

    here.wait_for_tick(now_ms() + 1000)
    found = here.ticks()
    assert found == every_tick(found, 200)
    assert leader.main.poll() is None


def test_schedule_that_is_put_changed_paused_and_removed_is_followed_at_once(here: Namespace):
    here.scheduler({})
    wait_until(lambda: here.schedules.leader() is not None, timeout=20)

    def put(every_ms: int) -> None:
        definition = Definition(actor="cleanup_temp", every_ms=every_ms, overlap="allow_all")
        next_ms = definition.timing().next(now_ms())
        here.schedules.put("mine", definition.to_text(), uid="uid", next_ms=next_ms)

    put(100)
    here.wait_for_tick(now_ms() + 500, "cleanup_temp")
    put(300)
    changed = now_ms()
    here.wait_for_tick(changed + 1500, "cleanup_temp")
    later = [tick for tick in here.ticks("cleanup_temp") if tick > changed + 1000]
    assert all(tick % 300 == 0 for tick in later)
    assert here.schedules.remove("mine") == "removed"
    removed = now_ms()
    wait_until(lambda: now_ms() > removed + 1000)
    assert max(here.ticks("cleanup_temp")) <= removed + 400


DAMAGES: dict[str, Callable[[redis.Redis, Keys], object]] = {
    "definition": lambda r, k: r.hset(k.schedule("broken"), "definition", '{"actor": 1}'),
    "key of another type": lambda r, k: (r.delete(k.schedule("broken")), r.set(k.schedule("broken"), "x")),
    "next tick": lambda r, k: r.hset(k.schedule("broken"), "next", "9" * 18),
    "last tick": lambda r, k: r.hset(k.schedule("broken"), "last", "1_0"),
    "arguments": lambda r, k: r.hset(
        k.schedule("broken"),
        "definition",
        json.dumps({"actor": "beat", "every_ms": 100, "args": {"x": "x" * 70_000}}),
    ),
    "name": lambda r, k: r.zadd(k.schedules, {b"broken\xe9": 1}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_told_and_the_others_go_on(here: Namespace, damage: str):
    here.was_declared("broken", 100, now_ms())
    DAMAGES[damage](here.client, here.store.keys)
    scheduler = here.scheduler({"beat": 200})
    here.wait_for_tick(1)
    scheduler.wait_until_it_says("it cannot be used")
    assert scheduler.output().count("is not fired") == 1
    assert (
        scheduler.output().split(" is not fired")[0].endswith("broken\\xe9" if damage == "name" else "broken")
    )


@pytest.mark.parametrize("damage", [each for each in DAMAGES if each != "name"])
def test_damaged_schedule_of_code_keeps_no_scheduler_from_starting(here: Namespace, damage: str):
    here.was_declared("broken", 100, now_ms())
    DAMAGES[damage](here.client, here.store.keys)
    scheduler = here.scheduler({"beat": 200, "broken": 200})
    here.wait_for_tick(1)
    if damage == "key of another type":
        scheduler.wait_until_it_says("broken cannot be declared: its key is damaged")
    else:
        here.wait_for_tick(1, "broken")  # its code declares it anew


def test_list_of_schedules_of_another_type_is_told_until_it_is_repaired(here: Namespace):
    here.client.set(here.store.keys.schedules, "x")
    scheduler = here.scheduler({"beat": 200})
    scheduler.wait_until_it_says("doctor")
    here.client.delete(here.store.keys.schedules)
    here.wait_for_tick(1)
    assert scheduler.main.poll() is None


class TestEnd:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_it_ends_with_0(self, here: Namespace, number: int):
        scheduler = here.scheduler({"beat": 200})
        here.wait_for_tick(1)

        assert scheduler.stop(number)[0] == 0

        assert "Traceback" not in scheduler.output()

    def test_a_name_lookup_that_hangs_holds_up_nothing(self, here: Namespace):
        scheduler = here.scheduler(
            {}, script="slow_lookup.py", JOBS_REDIS_URL="redis://server.example.org:6379/0"
        )
        scheduler.wait_until_it_says("looking up")

        code, seconds = scheduler.stop()

        assert code == 0
        assert seconds < 10

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

    def test_another_one_leads_at_once(self, here: Namespace):
        for _ in range(2):
            here.scheduler({"beat": 200})
        here.wait_for_tick(1)
        leader = here.leading()
        leader.stop()
        ended = now_ms()
        wait_until(lambda: here.made_since(ended))
        assert here.leading() is not leader


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

    def test_mistake_in_schedules_is_headed_as_such(self, here: Namespace):
        scheduler = here.scheduler({}, SCHEDULES='{"mine": ["cleanup_tmp", "@daily"]}')

        assert scheduler.main.wait(20) == 1
        assert scheduler.output().startswith("A schedule is declared wrongly.\nSchedule 'mine': ")
        assert "Did you mean 'cleanup_temp'" in scheduler.output()

    def test_data_of_a_newer_version(self, here: Namespace):
        here.client.hset(here.store.keys.meta, "schema", "99")
        scheduler = here.scheduler({"beat": 200})

        assert scheduler.main.wait(20) == 1
        assert "schema 99" in scheduler.output()
        assert not here.ticks()
