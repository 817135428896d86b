"""Cancelling: jobs that wait end at once, jobs that run are told within a moment."""

import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from dramatiq import pipeline
from dramatiq.asyncio import get_event_loop_thread

from tests.broker.conftest import Declare, Ended, MakeBroker, Working, an_actor
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.broker.interrupts import JobCancelled
from worker_service.jobs.states import State


class Stage:
    """An actor that runs until it is interrupted, and says how that went."""

    def __init__(self) -> None:
        self.running, self.told_at = threading.Event(), 0.0

    def wait(self, *_: Any) -> str:
        self.running.set()
        try:
            give_up_at = time.monotonic() + 20
            while time.monotonic() < give_up_at:
                time.sleep(0.005)
            return "not interrupted"
        except JobCancelled:
            self.told_at = time.monotonic()
            raise


@pytest.fixture
def stage() -> Stage:
    """A stage of the test's own."""
    return Stage()


def test_running_job_is_interrupted_within_a_second_and_never_runs_again(
    served: JobBroker, declare: Declare, ended: Ended, stage: Stage
):
    message = declare(stage.wait).send()
    assert stage.running.wait(10)

    asked_at = time.monotonic()
    assert served.store.cancel(message.message_id) == "asked"

    job = ended(message)
    assert (job.state, job.attempts, job.error) == (State.CANCELLED, 0, None)
    assert stage.told_at - asked_at < 1
    assert [(each.outcome, each.charged) for each in job.deliveries] == [("cancel", False)]


def test_actor_that_turns_it_into_another_error_is_not_retried(
    served: JobBroker, declare: Declare, ended: Ended, stage: Stage
):
    def wrap() -> None:
        try:
            stage.wait()
        except JobCancelled:
            raise ValueError("cleaned up badly") from None

    message = declare(wrap).send()
    assert stage.running.wait(10)
    served.store.cancel(message.message_id)
    assert ended(message).state is State.CANCELLED


def test_actor_that_ends_all_the_same_has_succeeded_and_its_pipeline_stops(
    served: JobBroker, declare: Declare, ended: Ended, stage: Stage
):
    def finish_anyway() -> str:
        try:
            return stage.wait()
        except JobCancelled:
            return "done all the same"

    first = declare(finish_anyway).message()
    second = declare(lambda value: value).message()
    pipeline([first, second], broker=served).run()
    assert stage.running.wait(10)
    served.store.cancel(first.message_id)

    job = ended(first)
    assert (job.state, job.result) == (State.SUCCEEDED, "done all the same")
    assert served.reads.job(second.message_id) is None


def test_follow_ups_of_a_cancelled_job_are_not_sent(
    served: JobBroker, declare: Declare, ended: Ended, stage: Stage
):
    first = declare(stage.wait).message()
    second = declare(lambda value: value).message()
    pipeline([first, second], broker=served).run()
    assert stage.running.wait(10)
    served.store.cancel(first.message_id)
    ended(first)
    assert served.reads.job(second.message_id) is None


def test_async_actor_is_interrupted(served: JobBroker, declare: Declare, ended: Ended):
    import asyncio

    running, seen = threading.Event(), []

    async def wait() -> None:
        running.set()
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    message = declare(wait).send()
    assert running.wait(10)
    served.store.cancel(message.message_id)
    assert ended(message).state is State.CANCELLED
    wait_until(lambda: seen == ["cancelled"])


def test_job_that_was_fetched_ahead_does_not_start(make_broker: MakeBroker, working: Working, stage: Stage):
    broker = make_broker(prefetch=4)
    ran: list[int] = []
    first = an_actor(broker, stage.wait, "first").send_with_options(priority=-1)
    ahead = an_actor(broker, ran.append, "ahead").send(1)
    with working(broker, threads=1):
        assert stage.running.wait(10)
        wait_until(lambda: broker.reads.state(ahead.message_id) is State.RUNNING)
        assert broker.store.cancel(ahead.message_id) == "asked"
        wait_until(lambda: broker.process.interrupts._cancelled)
        broker.store.cancel(first.message_id)
        wait_until(lambda: broker.reads.state(ahead.message_id) is State.CANCELLED)
    assert ran == []


def test_job_whose_word_was_lost_with_a_connection_is_found(
    make_broker: MakeBroker, working: Working, stage: Stage
):
    broker = make_broker()
    message = an_actor(broker, stage.wait).send()
    with working(broker, threads=1):
        assert stage.running.wait(10)
        # As if the bell had been taken by a connection that broke before the answer came.
        broker.store.client.hset(broker.store.keys.job(message.message_id), "cancel_asked", "1")

        def cut_and_look() -> bool:
            for client in broker.store.client.client_list():
                if client["cmd"] == "bzpopmin":
                    broker.store.client.client_kill(client["addr"])
            return broker.reads.state(message.message_id) is State.CANCELLED

        wait_until(cut_and_look)


def test_cancelled_job_that_fails_for_good_is_cancelled(
    served: JobBroker, declare: Declare, ended: Ended, stage: Stage
):
    def fail() -> None:
        try:
            stage.wait()
        except BaseException as error:
            raise RuntimeError("while cleaning up") from error

    message = declare(fail, max_attempts=1).send()
    assert stage.running.wait(10)
    served.store.cancel(message.message_id)
    assert ended(message).state is State.CANCELLED


@pytest.mark.parametrize("is_told_before", [True, False])
def test_async_actor_that_is_interrupted_while_the_loop_is_told_does_not_go_on(
    served: JobBroker, declare: Declare, is_told_before: bool, monkeypatch: pytest.MonkeyPatch
):
    import asyncio

    began, seen = threading.Event(), []

    async def wait() -> None:
        began.set()
        try:
            await asyncio.sleep(0.2)
            seen.append("went on")
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    actor = declare(wait)
    loop = get_event_loop_thread()
    assert loop is not None
    tell = loop.loop.call_soon_threadsafe
    was_interrupted: list[bool] = []

    def tell_and_be_interrupted(*arguments: Any) -> Any:
        if was_interrupted:
            return tell(*arguments)
        was_interrupted.append(True)
        if is_told_before:
            tell(*arguments)
            began.wait(10)
        raise JobCancelled("now")

    monkeypatch.setattr(loop.loop, "call_soon_threadsafe", tell_and_be_interrupted)
    with pytest.raises(JobCancelled):
        actor()
    assert (began.is_set(), seen) == (is_told_before, ["cancelled"] if is_told_before else [])


def test_functions_can_be_traced_after_an_interrupt_that_came_too_late():
    """A debugger, or coverage, in a process that has cancelled a job: up to Python 3.11 the next call hung."""
    code = (
        "import sys; from worker_service.broker.interrupts import _Threads; aim = _Threads();"
        "aim.clear(aim.current()); sys.setprofile(lambda *_: None); (lambda: None)(); sys.setprofile(None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
