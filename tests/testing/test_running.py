"""What simulated jobs do, seen as a team's own tests see it."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker

from worker_service import PermanentError, RetryLater, current_job, once
from worker_service.broker.broker import JobBroker
from worker_service.jobs.errors import InvalidJob
from worker_service.jobs.states import State
from worker_service.testing.jobs import Jobs
from worker_service.testing.memory import NotSimulated

Actor = Callable[..., Any]


def _lost() -> None: ...


def test_sent_job_waits_until_it_is_drained(jobs: Jobs, actor: Actor, broker: dramatiq.Broker):
    seen: list[str] = []

    @actor(queue_name="mine")
    def greet(name: str) -> str:
        seen.append(name)
        return f"Hello {name}"

    message = greet.send("Ann")
    jobs.assert_enqueued(greet, {"name": "Ann"}, queue="mine", count=1)
    assert seen == []
    assert jobs.drain() == {"complete": 1}
    jobs.assert_not_enqueued(greet)
    assert seen == ["Ann"]
    assert jobs.one(message).result == "Hello Ann"
    assert message.get_result(backend=broker.get_results_backend()) == "Hello Ann"


def test_what_waits_is_told_when_another_job_was_expected(jobs: Jobs, actor: Actor):
    @actor()
    def greet(name: str) -> None: ...

    greet.send("Ann")
    with pytest.raises(
        AssertionError, match=r"no job of greet waits with \{'name': 'Bob'\}; there are:\n.*'Ann'"
    ):
        jobs.assert_enqueued(greet, {"name": "Bob"})


def test_actor_on_another_broker_is_named(jobs: Jobs):
    declare: Any = dramatiq.actor(broker=StubBroker())
    lost = declare(_lost)
    with pytest.raises(AssertionError, match=r"'_lost' is on another broker \(StubBroker\)"):
        jobs.assert_enqueued(lost)
    with pytest.raises(AssertionError, match="another broker"):
        jobs.perform(lost)


def test_arguments_go_through_json(jobs: Jobs, actor: Actor):
    @actor()
    def close(day: date) -> str:
        return day.strftime("%d.%m.%Y")

    assert jobs.perform(close, "2026-01-31") == "31.01.2026"
    with pytest.raises(InvalidJob, match="not JSON"):
        close.send(date(2026, 1, 31))


def test_failure_is_tried_again_after_its_wait(jobs: Jobs, actor: Actor):
    @actor(backoff=[timedelta(minutes=1)], max_attempts=3)
    def unsure() -> int:
        if not current_job().is_last_attempt:
            raise OSError("not yet")
        return current_job().attempt

    message = unsure.send()
    assert jobs.run_due() == {"retry": 1}
    assert jobs.one(message).state is State.RETRYING
    jobs.clock.advance(seconds=59)
    assert not jobs.run_due()
    jobs.clock.advance(seconds=1)
    assert jobs.run_due() == {"retry": 1}
    assert jobs.drain() == {"complete": 1}
    assert jobs.one(message).result == 3


def test_error_that_makes_a_job_dead_is_that_of_the_test(jobs: Jobs, actor: Actor):
    @actor(max_attempts=2)
    def broken() -> None:
        raise ZeroDivisionError("by nought")

    broken.send()
    with pytest.raises(ZeroDivisionError, match="by nought"):
        jobs.drain()
    broken.send()
    assert jobs.drain(may_die=True) == {"retry": 1, "dead_letter": 1}
    assert [(job.state, job.reason) for job in jobs.all] == [(State.DEAD, "attempts_exhausted")] * 2


def test_permanent_error_is_not_tried_again(jobs: Jobs, actor: Actor):
    @actor()
    def hopeless() -> None:
        raise PermanentError("no such user")

    with pytest.raises(PermanentError):
        jobs.perform(hopeless)
    assert jobs.one(hopeless).reason == "permanent_error"


def test_retry_later_uses_no_attempt(jobs: Jobs, actor: Actor):
    answers = ["busy", "busy", "done"]

    @actor(max_attempts=1)
    def ask() -> str:
        if (answer := answers.pop(0)) == "busy":
            raise RetryLater(timedelta(minutes=5))
        return answer

    message, began = ask.send(), jobs.clock.now
    assert jobs.drain() == {"snooze": 2, "complete": 1}
    assert jobs.clock.now - began == timedelta(minutes=10)
    assert (jobs.one(message).attempts, jobs.one(message).snoozes) == (0, 2)


def test_delay_and_priority_decide_the_order(jobs: Jobs, actor: Actor):
    seen: list[str] = []
    note = actor(actor_name="note")(seen.append)
    note.send_with_options(args=("late",), delay=60_000)
    note.send("second")
    note.send_with_options(args=("first",), priority=-1)
    jobs.assert_enqueued(note, ["late"], delay=timedelta(minutes=1))
    jobs.run_due()
    assert seen == ["first", "second"]
    jobs.drain()
    assert seen == ["first", "second", "late"]


def test_job_expires_that_was_not_started_in_time(jobs: Jobs, actor: Actor):
    @actor()
    def offer() -> None: ...

    message = offer.send_with_options(expires_in=1_000)
    jobs.clock.advance(seconds=2)
    assert not jobs.drain()
    assert jobs.one(message).state is State.EXPIRED


def test_same_work_is_one_job(jobs: Jobs, actor: Actor):
    @actor(unique={"on": ["/user"]})
    def sync(user: int, reason: str) -> None: ...

    first, second = sync.send(1, "a"), sync.send(1, "b")
    assert first.message_id == second.message_id
    sync.send(2, "a")
    assert jobs.drain() == {"complete": 2}
    assert sync.send(1, "c").message_id != first.message_id


def test_progress_and_log_are_kept(jobs: Jobs, actor: Actor):
    @actor()
    def long() -> None:
        current_job().progress(50, "half")
        current_job().log("a line")
        assert current_job().still_mine()

    message = long.send()
    jobs.drain()
    assert jobs.one(message).progress == {"percent": 50, "note": "half"}
    assert jobs.one(message).log == ["a line"]


def test_async_actor_runs(jobs: Jobs, actor: Actor):
    @actor()
    async def wait(x: int) -> str:
        await asyncio.sleep(0)
        return f"{current_job().attempt} {x}"

    assert jobs.perform(wait, 2) == "1 2"


def test_pipelines_and_groups_run_to_their_end(jobs: Jobs, actor: Actor, broker: dramatiq.Broker):
    @actor()
    def add(x: int, y: int) -> int:
        return x + y

    @actor()
    def told() -> None: ...

    steps = dramatiq.pipeline([add.message(1, 2), add.message(10)], broker=broker).run()
    both = dramatiq.group([add.message(1, 1), add.message(2, 2)], broker=broker)
    both.add_completion_callback(told.message())
    both.run()
    assert jobs.drain() == {"complete": 5}
    assert steps.get_result() == 13
    assert jobs.one(told).state is State.SUCCEEDED


def test_group_with_a_dead_member_has_dead_callbacks(jobs: Jobs, actor: Actor, broker: dramatiq.Broker):
    @actor(max_attempts=1)
    def halve(x: int) -> float:
        return 1 / x

    @actor()
    def told() -> None: ...

    both = dramatiq.group([halve.message(1), halve.message(0)], broker=broker)
    both.add_completion_callback(told.message())
    both.run()
    assert jobs.drain(may_die=True) == {"complete": 1, "dead_letter": 1}
    assert (jobs.one(told).state, jobs.one(told).reason) == (State.DEAD, "group_failed")


def test_what_only_a_server_knows_is_not_pretended(jobs: Jobs, broker: JobBroker):
    with pytest.raises(NotSimulated, match=r"no 'cancel': .* running service"):
        broker.store.cancel("some-id")


def test_jobs_that_never_end_are_told(jobs: Jobs, actor: Actor):
    @actor()
    def again() -> None:
        again.send_with_options(delay=1_000)

    again.send()
    with pytest.raises(AssertionError, match="still not done after 1000 runs"):
        jobs.drain()


def test_step_is_not_done_twice(jobs: Jobs, actor: Actor):
    charges: list[str] = []

    @actor(backoff=0)
    def charge() -> str:
        with once("charge") as step:
            if not step.is_done:
                charges.append(step.key)
                step.result = "ch_1"
        if current_job().attempt == 1:
            raise OSError("after the charge")
        return str(step.result)

    message = charge.send()
    assert jobs.drain() == {"retry": 1, "complete": 1}
    assert len(charges) == 1
    assert jobs.one(message).result == "ch_1"
    assert jobs.one(message).steps == {"charge": "done"}
