"""Interrupts: each kind once, and in a storm of them over short jobs no thread dies and no outcome is wrong."""

import asyncio
import logging
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import Interrupt, Shutdown, TimeLimitExceeded

from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.broker.interrupts import JobCancelled, LeaseLost
from worker_service.middleware import default_middleware
from worker_service.settings import Settings

THREADS = 8


class Gust(Interrupt):
    """An interrupt of this test."""


class Squall(Interrupt):
    """Another one."""


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let threads take turns every few bytecodes, so that interrupts fall between any two of them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    logging.disable(logging.ERROR)  # every interrupt logs a traceback
    yield
    logging.disable(logging.NOTSET)
    sys.setswitchinterval(before)


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[JobBroker]:
    made = JobBroker(Settings(redis_url=redis_url, namespace=namespace), default_middleware())
    yield made
    made.close()


# An interrupt can fall into a callback of the garbage collector (hypothesis has one), where Python drops it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("hasty_threads")
@pytest.mark.parametrize("storm", [500, pytest.param(5_000, marks=pytest.mark.soak)])
def test_a_storm_of_interrupts_kills_no_thread_and_gives_no_wrong_outcome(
    broker: JobBroker, storm: int
) -> None:
    begun: Counter[int] = Counter()
    interrupted: Counter[int] = Counter()
    failed: Counter[int] = Counter()

    @dramatiq.actor(broker=broker, max_retries=None, min_backoff=1, max_backoff=2)
    def short(number: int) -> int:
        begun[number] += 1
        try:
            total = 0
            for _ in range(random.randint(1, 10)):
                total += sum(i * i for i in range(random.randint(1, 300)))
                threading.Event().wait(random.random() / 1000)  # others run: an interrupt can hit anywhere
            if total % 7 == 3:
                failed[number] += 1
                raise ValueError("an own failure among the interrupts")
        except (Gust, Squall):
            interrupted[number] += 1
            if number % 3:
                raise
        return number

    worker = dramatiq.Worker(broker, worker_threads=THREADS, worker_timeout=100)
    threads_before = set(threading.enumerate())
    worker.start()
    interrupts, backend = broker.process.interrupts, broker.get_results_backend()
    sent = 0
    messages: list[dramatiq.Message[int]] = []
    calm = threading.Event()
    try:
        while sent < storm:
            if broker.reads.depth("default") < THREADS:
                messages += [short.send(number) for number in range(len(messages), len(messages) + 50)]
            for _ in range(100):
                kind = random.choice((Gust, Squall))
                sent += interrupts.interrupt(kind, lambda job: random.random() < 0.5)
                calm.wait(random.random() / 1000)  # lets the actors run on; nothing is waited for
        results = [message.get_result(backend=backend, block=True, timeout=60_000) for message in messages]
        alive = [thread for thread in worker.workers if thread.is_alive()]
    finally:
        worker.stop()

    assert results == list(range(len(messages)))  # every job ended with its own value, whatever hit it before
    assert len(alive) == THREADS
    assert broker.store.client.zcard(broker.store.keys.final("dead")) == 0
    assert sum(interrupted.values()) > storm / 20  # the storm did reach the actors
    wait_until(lambda: set(threading.enumerate()) - threads_before <= {threading.main_thread()}, timeout=15)


def test_an_actor_that_runs_longer_than_its_time_limit_is_interrupted_and_uses_an_attempt(
    broker: JobBroker,
) -> None:
    ended: list[str] = []

    @dramatiq.actor(broker=broker, time_limit=200, max_attempts=2, min_backoff=1, max_backoff=1)
    def waits() -> None:
        try:
            for _ in range(1_000):
                threading.Event().wait(0.01)
            ended.append("by itself")
        except TimeLimitExceeded:
            ended.append("interrupted")
            raise

    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    try:
        job = broker.reads.wait_until_final(waits.send().message_id, timeout=10)
    finally:
        worker.stop()

    assert job is not None
    assert ended == ["interrupted"] * 2
    assert (job.state, job.reason, job.attempts) == ("dead", "attempts_exhausted", 2)
    assert [(each.outcome, each.charged) for each in job.deliveries] == [
        ("retry", True),
        ("dead_letter", True),
    ]
    assert job.error is not None
    assert job.error["type"] == "TimeLimitExceeded"


def go_on(caught: list[type], over: threading.Event) -> None:
    while not over.is_set():
        try:
            while not over.is_set():
                over.wait(0.01)
        except Interrupt as interrupt:
            caught.append(type(interrupt))


async def go_on_async(caught: list[type], over: threading.Event) -> None:
    while not over.is_set():
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError as cancelled:
            caught.append(type(cancelled))


@pytest.mark.parametrize("is_async", [False, True])
def test_who_caught_one_interrupt_and_went_on_gets_the_next_of_another_kind_and_each_once(
    broker: JobBroker, is_async: bool
) -> None:
    caught: list[type] = []
    over = threading.Event()
    kinds: list[type] = [TimeLimitExceeded, JobCancelled, LeaseLost, Shutdown]
    stubborn: Any = go_on
    if is_async:
        kinds, stubborn = [asyncio.CancelledError] * 4, go_on_async
    bound: Any = partial(stubborn, caught, over)
    actor = dramatiq.actor(broker=broker, actor_name="stubborn", time_limit=200)(bound)
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    interrupts = broker.process.interrupts
    try:
        id = actor.send().message_id
        wait_until(lambda: caught == kinds[:1])
        broker.store.cancel(id)
        wait_until(lambda: caught == kinds[:2], timeout=2)
        assert interrupts.interrupt(LeaseLost, lambda _: True) == 1
        wait_until(lambda: caught == kinds[:3])
        assert interrupts.interrupt(Shutdown, lambda _: True) == 1
        wait_until(lambda: caught == kinds)
        assert interrupts.interrupt(Shutdown, lambda _: True) == 0
        assert interrupts.running() == [id]  # nothing runs on by itself
    finally:
        over.set()
        worker.stop()
    assert len(caught) == 4
