"""Old and new code side by side: no tick is lost, and what code says counts at once."""

import signal

from tests.scheduler.processes import Namespace, every_tick, now_ms
from tests.waiting import wait_until
from worker_service.jobs.intervals import tick_before
from worker_service.jobs.schedule import Definition
from worker_service.store import StoredSchedule

HOUR = 3_600_000


def stored(here: Namespace, name: str) -> StoredSchedule:
    found = here.schedules.get(name)
    assert isinstance(found, StoredSchedule)
    return found


def put(here: Namespace, name: str, next_ms: int, **fields: object) -> Definition:
    definition = Definition.read({"actor": name, "every_ms": HOUR, "overlap": "allow_all", **fields})
    assert here.schedules.put(name, definition.to_text(), uid=name, next_ms=next_ms)[0] == "created"
    return definition


def test_newer_code_leads_at_once_and_its_new_schedules_lose_no_tick(here: Namespace):
    old = here.scheduler({"beat": 200}, JOBS_CODE_VERSION="1")
    here.wait_for_tick(1)
    new = here.scheduler({"beat": 200, "fresh": 200}, JOBS_CODE_VERSION="2")
    new.wait_until_it_says("This scheduler leads")
    begin = now_ms()

    here.wait_for_tick(begin + 2000, "fresh")
    here.wait_for_tick(begin + 2000)

    old.wait_until_it_says("Another scheduler leads")
    assert old.main.poll() is None
    for name in ("beat", "fresh"):
        found = here.ticks(name)
        assert found == every_tick(found, 200)
        assert stored(here, name).missed == 0
    assert min(here.ticks("fresh")) < begin + 1000


def test_older_code_leads_again_when_newer_code_is_gone_and_leaves_it_its_ticks(here: Namespace):
    here.scheduler({"beat": 200}, JOBS_CODE_VERSION="1")
    here.wait_for_tick(1)
    new = here.scheduler({"beat": 200, "fresh": 200}, JOBS_CODE_VERSION="2")
    here.wait_for_tick(1, "fresh")
    new.send(signal.SIGKILL)
    killed = now_ms()

    here.wait_for_tick(killed + 6000)
    wait_until(lambda: "No actor 'fresh'" in (stored(here, "fresh").hindered or ""), timeout=10)

    found = here.ticks()
    assert found == every_tick(found, 200)
    back = here.scheduler({"beat": 200, "fresh": 200}, JOBS_CODE_VERSION="2")
    here.wait_for_tick(now_ms(), "fresh")
    found = here.ticks("fresh")
    assert found == every_tick(found, 200)
    assert stored(here, "fresh").hindered is None
    assert back.main.poll() is None


def test_ticks_that_nobody_can_fire_wait_and_are_judged_by_who_can(here: Namespace):
    newest = tick_before(now_ms(), HOUR)
    put(here, "later", newest - 5 * HOUR)
    first = here.scheduler({"beat": 200})
    first.wait_until_it_says("Ticks of later wait")
    here.wait_for_tick(1)
    waiting = stored(here, "later")
    assert (waiting.next_ms, waiting.missed, waiting.runs) == (newest - 5 * HOUR, 0, 0)
    assert "No actor 'later'" in (waiting.hindered or "")
    first.stop()

    here.scheduler({"beat": 200, "later": HOUR})

    here.wait_for_tick(newest, "later")
    done = stored(here, "later")
    assert (done.hindered, done.runs) == (None, 1)
    assert done.missed in (5, 6)  # an hour may just have begun


def test_scheduler_that_does_not_lead_fires_what_the_one_that_leads_cannot(here: Namespace):
    here.scheduler({"beat": 200, "known": HOUR}, JOBS_CODE_VERSION="1")
    here.wait_for_tick(1)
    here.scheduler({"beat": 200}, JOBS_CODE_VERSION="2").wait_until_it_says("This scheduler leads")
    begin = now_ms()
    put(here, "by-name", begin - 500, actor="known", every_ms=500)

    wait_until(lambda: here.ticks_of("by-name"), timeout=30)

    wait_until(lambda: max(here.ticks_of("by-name")) > begin + 2000, timeout=30)
    found = here.ticks_of("by-name")
    assert found == every_tick(found, 500)
    assert stored(here, "by-name").missed == 0


def test_changed_declaration_counts_at_once_when_the_only_scheduler_is_started_again(here: Namespace):
    nightly = '{"mine": ["cleanup_temp", "0 3 * * *"]}'
    first = here.scheduler({"beat": 200}, SCHEDULES=nightly)
    here.wait_for_tick(1)
    assert stored(here, "mine").definition.get("timezone", "UTC") == "UTC"
    first.send(signal.SIGKILL)
    first.main.wait()

    here.scheduler({"beat": 200}, SCHEDULES=nightly, JOBS_TIMEZONE="Asia/Tokyo")

    wait_until(lambda: stored(here, "mine").definition.get("timezone") == "Asia/Tokyo", timeout=20)
    assert stored(here, "mine").version == 2


def test_definition_that_was_damaged_is_declared_anew(here: Namespace):
    first = here.scheduler({"beat": HOUR})
    wait_until(lambda: here.schedules.get("beat") is not None, timeout=20)
    first.stop()
    good = stored(here, "beat").definition
    here.client.hset(here.store.keys.schedule("beat"), "definition", "{")

    here.scheduler({"beat": HOUR})

    wait_until(
        lambda: isinstance(found := here.schedules.get("beat"), StoredSchedule) and found.version == 2, 20
    )
    assert stored(here, "beat").definition == good
