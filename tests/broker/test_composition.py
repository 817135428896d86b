"""Pipelines, groups and callbacks: what follows a job is written with its end, once."""

import asyncio
import threading
from collections import Counter
from typing import Any

import dramatiq
import pytest

from tests.broker.conftest import Declare, Ended
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.jobs.states import State
from worker_service.store import Store


class TestPipelines:
    def test_result_feeds_the_next_one(self, served: JobBroker, declare: Declare):
        add = declare(lambda x, y: x + y)

        pipe = dramatiq.pipeline([add.message(1, 2), add.message(3), add.message(4)], broker=served).run()

        assert pipe.get_result(block=True) == 10

    def test_result_may_be_ignored(self, served: JobBroker, declare: Declare):
        one, two = declare(lambda: 1), declare(lambda: 2)

        pipe = one.message() | two.message_with_options(pipe_ignore=True)
        pipe.broker = served

        assert pipe.run().get_result(block=True) == 2

    def test_next_one_knows_its_parent(self, served: JobBroker, declare: Declare, ended: Ended):
        echo = declare(lambda x: x)
        pipe = dramatiq.pipeline([echo.message(1), echo.message()], broker=served).run()

        assert ended(pipe.messages[1]).parent == pipe.messages[0].message_id

    def test_options_of_a_later_step_count(self, served: JobBroker, declare: Declare, ended: Ended):
        echo = declare(lambda x: x)
        later = echo.message_with_options(priority=9, max_attempts=2, delay=30)

        pipe = dramatiq.pipeline([echo.message(1), later], broker=served).run()

        job = ended(pipe.messages[1])
        assert (job.priority, job.max_attempts) == (9, 2)
        assert job.due_at_ms == job.created_at_ms + 30

    def test_step_whose_arguments_do_not_fit_is_created_dead(
        self, served: JobBroker, declare: Declare, ended: Ended
    ):
        one, none = declare(lambda: 1), declare(lambda: None)
        pipe = dramatiq.pipeline([one.message(), none.message()], broker=served).run()

        job = ended(pipe.messages[1])

        assert (job.state, job.reason) == (State.DEAD, "invalid_arguments")
        assert job.parent == pipe.messages[0].message_id
        assert ended(pipe.messages[0]).state is State.SUCCEEDED

    def test_failed_step_ends_it(self, served: JobBroker, declare: Declare, ended: Ended):
        def fail() -> None:
            raise ValueError

        after = declare(lambda x: x)
        pipe = dramatiq.pipeline(
            [declare(fail, max_attempts=1).message(), after.message()], broker=served
        ).run()

        assert ended(pipe.messages[0]).state is State.DEAD
        assert served.reads.job(pipe.messages[1].message_id) is None

    def test_delay_of_the_whole_schedules_the_first(self, served: JobBroker, declare: Declare):
        one = declare(lambda: 1)

        pipe = dramatiq.pipeline([one.message()], broker=served).run(delay=3_600_000)

        assert served.reads.state(pipe.messages[0].message_id) is State.SCHEDULED


class TestGroups:
    def test_results_of_all_members_come_back(self, served: JobBroker, declare: Declare):
        double = declare(lambda x: 2 * x)

        group = dramatiq.group([double.message(x) for x in range(5)], broker=served).run()

        assert list(group.get_results(block=True)) == [0, 2, 4, 6, 8]

    def test_callback_runs_once_when_every_member_has_completed(
        self, served: JobBroker, declare: Declare, ended: Ended
    ):
        gate, ran = threading.Event(), Counter[str]()

        def member(x: int) -> None:
            if x == 0:
                gate.wait(10)
            ran["member"] += 1

        def callback(text: str) -> None:
            ran[text] += ran["member"]

        group = dramatiq.group([declare(member).message(x) for x in range(4)], broker=served)
        callback_message = declare(callback).message("seen")
        group.add_completion_callback(callback_message)
        group.run()
        wait_until(lambda: ran["member"] == 3)
        assert served.reads.job(callback_message.message_id) is None
        gate.set()

        assert ended(callback_message).state is State.SUCCEEDED
        assert ran["seen"] == 4

    def test_member_that_fails_at_first_is_counted_once(
        self, served: JobBroker, declare: Declare, ended: Ended
    ):
        ran: Counter[int] = Counter()

        def member(x: int) -> None:
            ran[x] += 1
            if ran[x] == 1:
                raise ValueError("again")

        def callback() -> dict[str, int]:
            return {str(x): times for x, times in ran.items()}

        flaky = declare(member, min_backoff=1, max_backoff=1)
        group = dramatiq.group([flaky.message(x) for x in range(3)], broker=served)
        callback_message = declare(callback).message()
        group.add_completion_callback(callback_message)
        group.run()

        assert ended(callback_message).result == {"0": 2, "1": 2, "2": 2}

    def test_member_whose_end_is_recorded_twice_counts_once(
        self, served: JobBroker, declare: Declare, ended: Ended, monkeypatch: pytest.MonkeyPatch
    ):
        """The reply of finish is lost each time, so that each batch is written again."""
        write, words = Store.finish, []

        def written_twice(store: Store, batch: Any) -> list[str]:
            words.append(write(store, batch))
            return write(store, batch)

        monkeypatch.setattr(Store, "finish", written_twice)
        gate = threading.Event()
        messages = [declare(lambda: 1).message(), declare(lambda: gate.wait(10)).message()]
        group = dramatiq.group(messages, broker=served)
        callback_message = declare(lambda: None).message()
        group.add_completion_callback(callback_message)
        group.run()

        ended(messages[0])
        assert served.reads.job(callback_message.message_id) is None
        gate.set()
        assert ended(callback_message).state is State.SUCCEEDED
        assert ended(messages[1]).state is State.SUCCEEDED
        assert words[0] == ["done"]

    def test_pipelines_may_be_members(self, served: JobBroker, declare: Declare, ended: Ended):
        add = declare(lambda x, y: x + y)
        pipes = [dramatiq.pipeline([add.message(x, 1), add.message(1)], broker=served) for x in range(2)]
        group = dramatiq.group(pipes, broker=served)
        callback_message = declare(lambda: "done").message()
        group.add_completion_callback(callback_message)
        group.run()

        assert ended(callback_message).result == "done"

    @pytest.mark.parametrize("as_pipeline", [False, True])
    def test_member_that_dies_shows_in_its_callback(
        self, served: JobBroker, declare: Declare, ended: Ended, as_pipeline: bool
    ):
        def fail() -> None:
            raise ValueError

        one = declare(lambda *_: 1)
        member: Any = declare(fail, max_attempts=1).message()
        if as_pipeline:
            member = dramatiq.pipeline([member, one.message()], broker=served)
        group = dramatiq.group([one.message(), member], broker=served)
        callback_message = declare(lambda: "never").message()
        group.add_completion_callback(callback_message)
        group.run()

        job = served.reads.wait_until_final(callback_message.message_id, timeout=10)
        assert job is not None
        assert (job.state, job.reason) == (State.DEAD, "group_failed")

    def test_several_callbacks_run_each_once(self, served: JobBroker, declare: Declare, ended: Ended):
        one = declare(lambda: 1)
        group = dramatiq.group([one.message(), one.message()], broker=served)
        callbacks = [declare(lambda: None).message() for _ in range(3)]
        for callback in callbacks:
            group.add_completion_callback(callback)

        group.run()

        assert [len(ended(callback).deliveries) for callback in callbacks] == [1, 1, 1]


class TestCallbacks:
    def test_success_calls_with_the_message_and_the_result(self, served: JobBroker, declare: Declare):
        heard: list[Any] = []
        tell = declare(lambda message, result: heard.append((message["message_id"], result)))

        message = declare(lambda: 7, on_success=tell.actor_name).send()

        wait_until(lambda: heard)
        assert heard == [(message.message_id, 7)]

    def test_failure_calls_with_the_message_and_the_error(self, served: JobBroker, declare: Declare):
        heard: list[Any] = []
        tell = declare(lambda message, error: heard.append((message["message_id"], error)))

        def fail() -> None:
            raise ValueError("no luck")

        message = declare(fail, max_attempts=1).send_with_options(on_failure=tell.actor_name)

        wait_until(lambda: heard)
        assert heard == [(message.message_id, {"type": "ValueError", "message": "no luck"})]

    def test_it_is_a_follow_up_of_its_job(self, served: JobBroker, declare: Declare, ended: Ended):
        parents: list[Any] = []

        def tell(message: Any, result: Any) -> None:
            current = dramatiq.middleware.CurrentMessage.get_current_message()
            assert current is not None
            parents.append(current.message_id)

        message = declare(lambda: 7, on_success=declare(tell).actor_name).send()

        (id,) = wait_until(lambda: parents)
        job = served.reads.job(id)
        assert job is not None
        assert job.parent == message.message_id

    def test_unknown_callback_stops_nothing(self, declare: Declare, ended: Ended):
        message = declare(lambda: 7, on_success="nobody").send()

        assert ended(message).result == 7


class TestSendsOfTheActor:
    def test_they_go_out_at_once_and_know_no_parent(self, served: JobBroker, declare: Declare, ended: Ended):
        child = declare(lambda: "child")

        def parent() -> list[Any]:
            sent = child.send()
            state = served.reads.state(sent.message_id)
            return [sent.message_id, state is not None]

        id, was_there = ended(declare(parent).send()).result

        assert was_there
        job = served.reads.wait_until_final(id, timeout=10)
        assert job is not None
        assert (job.result, job.parent) == ("child", None)

    def test_they_stay_when_the_actor_fails_afterwards(
        self, served: JobBroker, declare: Declare, ended: Ended
    ):
        child, sent = declare(lambda: "child"), []

        def parent() -> None:
            sent.append(child.send())
            raise ValueError

        assert ended(declare(parent, max_attempts=1).send()).state is State.DEAD
        assert ended(sent[0]).result == "child"

    def test_async_actor_sends_at_once_too(self, served: JobBroker, declare: Declare, ended: Ended):
        child = declare(lambda: "child")

        async def parent() -> bool:
            return served.reads.state(child.send().message_id) is not None

        assert ended(declare(parent).send()).result is True

    def test_task_that_outlives_its_actor_sends_by_itself(
        self, served: JobBroker, declare: Declare, ended: Ended
    ):
        child, sent = declare(lambda: "child"), []

        async def later(go_on: threading.Event) -> None:
            await asyncio.to_thread(go_on.wait, 10)
            sent.append(child.send())

        go_on, tasks = threading.Event(), []

        async def parent() -> None:
            tasks.append(asyncio.create_task(later(go_on)))

        ended(declare(parent).send())
        go_on.set()
        wait_until(lambda: sent)
        assert ended(sent[0]).result == "child"

    def test_actor_may_be_called_as_a_function(self, declare: Declare, ended: Ended):
        inner = declare(lambda x: x + 1)

        assert ended(declare(lambda: inner(inner(1))).send()).result == 3
