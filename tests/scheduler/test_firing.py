"""The thread that fires: with others beside it, with a schedule that cannot be fired, with a wrong clock."""

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import dramatiq
import pytest

from scheduler import firing as module
from scheduler.firing import Firing
from scheduler.schedules import declared
from tests.store.builders import out_of_memory
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.broker.ticks import fire, job_id
from worker_service.embedded import EmbeddedServer
from worker_service.middleware import default_middleware
from worker_service.settings import Settings

SECOND = 1_000
MakeFiring = Callable[..., Firing]


def work():
    """What a tick asks for."""


@pytest.fixture
def redis_url(own_server: EmbeddedServer) -> str:
    """A server of the test's own, whose memory limit it may move."""
    return own_server.url


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[JobBroker]:
    """With the actors `one` and `two`, each to run every second."""
    made = JobBroker(Settings(redis_url=redis_url, namespace=namespace), default_middleware())
    for name in ("one", "two"):
        dramatiq.actor(work, broker=made, actor_name=name, every=SECOND)  # type: ignore[call-overload]
    yield made
    made.close()


@pytest.fixture
def start(broker: JobBroker) -> Iterator[MakeFiring]:
    """Starts to fire, having been told these newest ticks."""
    made: list[Firing] = []

    def start(**newest: int) -> Firing:
        firing = Firing(broker, declared(broker))
        made.append(firing)
        for name, tick in newest.items():
            firing.tell(name, tick)
        firing.start()
        return firing

    yield start
    for firing in made:
        firing.stop(5)


def this_second(broker: JobBroker) -> int:
    """The newest tick by the server's clock."""
    return broker.reads.schedule("").now_ms // SECOND * SECOND


def was_fired(broker: JobBroker, name: str, tick: int) -> bool:
    return broker.reads.state(job_id(name, tick)) is not None


def looked_again(line: Any, seen: int | None) -> bool:
    return bool(line.last_seen != seen)


def have_fired_until(broker: JobBroker, name: str, tick: int) -> None:
    """The last tick of a schedule, as its schedulers left it."""
    broker.store.client.hset(broker.store.keys.schedule(name), "last", str(tick))


def test_scheduler_that_starts_leaves_missed_ticks_to_one_that_is_catching_up(
    broker: JobBroker, start: MakeFiring, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "OTHERS_SECONDS", 0.5)
    now = this_second(broker)
    have_fired_until(broker, "one", now - 5 * SECOND)
    firing = start(one=now)
    line = firing._lines["one"]

    for tick in range(now - 4 * SECOND, now + 1, SECOND):
        seen = line.last_seen
        assert fire(broker, "one", tick) is not None  # what the other one kept
        wait_until(partial(looked_again, line, seen))  # and saw that it has moved

    firing.tell("one", now + SECOND)
    wait_until(lambda: was_fired(broker, "one", now + SECOND))


def test_missed_tick_is_fired_when_no_other_is_catching_up(
    broker: JobBroker, start: MakeFiring, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "OTHERS_SECONDS", 0.2)
    now = this_second(broker)
    have_fired_until(broker, "one", now - 500 * SECOND)

    start(one=now)

    wait_until(lambda: broker.reads.schedule("one").last_ms == now)
    assert broker.reads.totals("one")["enqueued"] <= 2  # the newest; one more when the second has just turned


def test_schedule_that_cannot_be_fired_holds_up_no_other_and_keeps_its_ticks(
    broker: JobBroker, start: MakeFiring, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(module, "BROKEN_SECONDS", 0.05)
    key = broker.store.keys.schedule("one")
    broker.store.client.set(key, "not ours")
    now = this_second(broker)
    firing = start(one=now, two=now)

    for k in range(1, 4):
        firing.tell("one", now + k * SECOND)
        firing.tell("two", now + k * SECOND)
    wait_until(lambda: was_fired(broker, "two", now + 3 * SECOND))
    wait_until(lambda: "one cannot be fired" in caplog.text)
    broker.store.client.delete(key)

    wait_until(lambda: was_fired(broker, "one", now + 3 * SECOND))
    assert all(was_fired(broker, "one", now + k * SECOND) for k in (2, 3))
    assert caplog.text.count("one cannot be fired") == 1


def test_clock_far_ahead_of_the_server_s_fires_nothing_and_says_so(
    broker: JobBroker, start: MakeFiring, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(module, "BROKEN_SECONDS", 0.02)
    now = this_second(broker)
    have_fired_until(broker, "one", now - SECOND)
    have_fired_until(broker, "two", now - SECOND)

    firing = start(two=now)
    wait_until(lambda: was_fired(broker, "two", now))
    firing.tell("one", now + 3_600 * SECOND)

    wait_until(lambda: "ahead of the server's" in caplog.text)
    assert broker.reads.schedule("one").last_ms == now - SECOND
    assert not any("two" in record.getMessage() for record in caplog.records if record.levelno > logging.INFO)


def test_it_goes_by_the_clock_even_when_no_tick_has_come_yet_that_is_ahead(
    broker: JobBroker, start: MakeFiring, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    now = this_second(broker)
    have_fired_until(broker, "one", now - SECOND)
    monkeypatch.setattr(module, "time_ns", lambda: (now + 30 * SECOND) * 1_000_000)

    start(one=now)

    wait_until(lambda: "ahead of the server's" in caplog.text)
    assert broker.reads.schedule("one").last_ms == now - SECOND


def test_clock_a_little_ahead_jumps_over_no_tick(broker: JobBroker, start: MakeFiring):
    now = this_second(broker)
    have_fired_until(broker, "one", now)

    start(one=now + 4 * SECOND)

    wait_until(lambda: was_fired(broker, "one", now + 4 * SECOND))
    assert all(was_fired(broker, "one", now + k * SECOND) for k in range(1, 5))


def test_no_tick_is_lost_while_the_server_is_full(
    broker: JobBroker, start: MakeFiring, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    now = this_second(broker)
    have_fired_until(broker, "one", now)
    have_fired_until(broker, "two", now)

    with out_of_memory(broker.store.client):
        firing = start(one=now + SECOND)
        wait_until(lambda: "Firing waits" in caplog.text)
        firing.tell("one", now + 2 * SECOND)
    wait_until(lambda: was_fired(broker, "one", now + 2 * SECOND))

    assert was_fired(broker, "one", now + SECOND)
    assert caplog.text.count("Firing waits") == 1
    assert caplog.text.count("Firing goes on") == 1
