"""What one scheduler does with what it has read, which may be out of date."""

import time
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest

from scheduler import declarations
from scheduler.clock import Clock
from scheduler.declarations import RETIRED_MS, Declarations, code_version, edition
from scheduler.firing import Firing
from scheduler.plan import Plan
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.jobs.schedule import Definition
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.store import Schedules, StoredSchedule

MINUTE = 60_000


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[JobBroker]:
    made = JobBroker(Settings(redis_url=redis_url, namespace=namespace), default_middleware())
    declare: Any = dramatiq.actor(broker=made, actor_name="work")
    declare(lambda: None)
    yield made
    made.close()


@pytest.fixture
def schedules(broker: JobBroker) -> Schedules:
    return Schedules(broker.store.client, broker.store.namespace)


@pytest.fixture
def clock(schedules: Schedules) -> Clock:
    made = Clock()
    made.set(schedules.now_ms(), time.monotonic())
    return made


class Fires:
    """A running `Firing`."""

    def __init__(self, broker: JobBroker, schedules: Schedules, clock: Clock) -> None:
        self.rereads = 0
        self.firing = Firing(broker, schedules, clock, self._reread)
        self.firing.start()

    def _reread(self) -> None:
        self.rereads += 1


@pytest.fixture
def fires(broker: JobBroker, schedules: Schedules, clock: Clock) -> Iterator[Fires]:
    made = Fires(broker, schedules, clock)
    yield made
    made.firing.stop(5)


def put(schedules: Schedules, name: str, next_ms: int, **fields: object) -> None:
    definition = Definition.read({"actor": "work", "every_ms": MINUTE, "overlap": "allow_all", **fields})
    assert schedules.put(name, definition.to_text(), uid=name, next_ms=next_ms)[0] == "created"


def stored(schedules: Schedules, name: str) -> StoredSchedule:
    found = schedules.get(name)
    assert isinstance(found, StoredSchedule)
    return found


def test_ticks_that_another_scheduler_fired_are_not_counted_as_missed(schedules: Schedules, fires: Fires):
    now = schedules.now_ms() // MINUTE * MINUTE
    put(schedules, "each", now - 10 * MINUTE)
    outdated = Plan(schedules).read()
    ref = stored(schedules, "each").ref
    assert schedules.miss(ref, now - 10 * MINUTE, now - 3 * MINUTE, 8, next_ms=now - 2 * MINUTE) == "missed"

    fires.firing.follow(outdated)

    wait_until(lambda: fires.rereads)
    assert stored(schedules, "each").missed == 8


def test_missed_ticks_of_an_interval_are_counted_exactly(schedules: Schedules, fires: Fires):
    now = schedules.now_ms()
    first = now // 100 * 100 - 500_000
    put(schedules, "each", first, every_ms=100, catch_up="skip")

    fires.firing.follow(Plan(schedules).read())

    wait_until(lambda: stored(schedules, "each").missed)
    missed = schedules.history("each", 500)[-1]
    assert missed.count == stored(schedules, "each").missed == (missed.tick_ms - first) // 100 + 1
    assert missed.count > 4300
    assert not missed.or_more


def test_many_of_one_instant_are_fired_and_one_that_cannot_be_holds_up_none(
    schedules: Schedules, fires: Fires
):
    now = schedules.now_ms() // 1000 * 1000
    for number in range(120):
        put(
            schedules,
            f"s{number}",
            now,
            every_ms=1000,
            actor="work" if number else "none",
        )
    planned = Plan(schedules).read()

    fires.firing.follow(planned)

    wait_until(lambda: all(stored(schedules, f"s{number}").runs for number in range(1, 120)))
    wait_until(lambda: stored(schedules, "s0").hindered)
    assert stored(schedules, "s0").runs == 0
    assert fires.rereads == 0


def test_instant_that_is_no_tick_is_passed_over(schedules: Schedules, fires: Fires):
    """As the doctor leaves it where the next tick was damaged."""
    now = schedules.now_ms()
    put(schedules, "each", now, every_ms=3_600_000)

    fires.firing.follow(Plan(schedules).read())

    wait_until(lambda: stored(schedules, "each").next_ms == now // 3_600_000 * 3_600_000 + 3_600_000)
    assert (stored(schedules, "each").runs, stored(schedules, "each").missed) == (0, 0)


class TestRetirement:
    """What no scheduler has declared for ten minutes goes, when the one that leads has lived so long itself."""

    @pytest.fixture
    def hours(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """The clock by which processes measure how long they live, in seconds; the test moves it."""
        now = [1000.0]
        monkeypatch.setattr(declarations, "monotonic", lambda: now[0])
        return now

    def declared(self, schedules: Schedules, name: str, ago_ms: int) -> None:
        at = schedules.now_ms() - ago_ms
        definition = Definition(actor="work", every_ms=MINUTE).to_text()
        word = schedules.declare(
            name, definition, uid=name, next_ms=at, scheduler="h:1:a@1-0", quiet_ms=RETIRED_MS, now_ms=at
        )
        assert word == "created"

    def test_only_what_is_silent_is_removed_and_not_by_one_that_has_just_started(
        self, schedules: Schedules, clock: Clock, hours: list[float]
    ):
        self.declared(schedules, "silent", RETIRED_MS + 1000)
        self.declared(schedules, "alive", RETIRED_MS - 60_000)
        put(schedules, "of-the-api", schedules.now_ms())
        mine = {"mine": Definition(actor="work", every_ms=MINUTE)}
        made = Declarations(schedules, mine, "h:2:b@1-1", clock)
        made.tell()

        made.retire()
        hours[0] += RETIRED_MS / 1000 - 1
        made.retire()
        assert schedules.get("silent") is not None

        hours[0] += 2
        made.retire()
        assert sorted(schedules.names()) == ["alive", "mine", "of-the-api"]

    def test_what_is_declared_again_stays(self, schedules: Schedules, clock: Clock, hours: list[float]):
        self.declared(schedules, "work", RETIRED_MS + 1000)
        made = Declarations(
            schedules, {"work": Definition(actor="work", every_ms=MINUTE)}, "h:2:b@1-1", clock
        )
        hours[0] += RETIRED_MS / 1000 + 1
        made.tell()
        made.retire()
        assert schedules.names() == ["work"]


class TestCodeVersion:
    def test_it_is_the_newest_change_of_any_module_of_the_packages(
        self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ):
        package = tmp_path / "some_tasks"
        (package / "inner").mkdir(parents=True)
        for file in ("__init__.py", "jobs.py", "inner/__init__.py", "inner/times.py"):
            (package / file).write_text("")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setitem(__import__("sys").modules, "some_tasks", __import__("some_tasks"))
        settings = Settings(redis_url="redis://x", actor_modules=("some_tasks.jobs",))
        newer = time.time() + 1000
        __import__("os").utime(package / "inner" / "times.py", (newer, newer))
        assert code_version(settings) == int((package / "inner" / "times.py").stat().st_mtime * 1000)
        assert code_version(settings.model_copy(update={"code_version": 7})) == 7

    def test_edition_differs_with_what_is_declared(self):
        one, other = ({"a": Definition(actor="work", every_ms=every)} for every in (1000, 2000))
        assert edition(7, one) == edition(7, dict(one)) != edition(7, other)
        assert edition(7, one).startswith("7-")
