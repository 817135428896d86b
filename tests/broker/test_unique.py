"""The option ``unique`` of actors and messages."""

import threading
from typing import Any

import dramatiq
import pytest

from tests.broker.conftest import Declare, Ended, an_actor
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.jobs.errors import DuplicateJob, InvalidJob
from worker_service.jobs.states import State
from worker_service.middleware.options import InvalidOption

BY_USER = {"on": ["/user"]}


@pytest.fixture
def greet(broker: JobBroker) -> Any:
    def greet(user: int, *, words: str = "hello") -> None:
        """Says so."""

    return an_actor(broker, greet, "greet", unique=BY_USER)


def jobs_in(broker: JobBroker) -> int:
    return int(broker.store.client.zcard(broker.store.keys.jobs))


class TestSending:
    def test_message_of_the_same_work_is_that_of_the_job_that_is_there(self, broker: JobBroker, greet: Any):
        first = greet.send(1)
        again = greet.send(user=1, words="hi")
        assert again.message_id == first.message_id
        assert greet.send(2).message_id != first.message_id
        assert jobs_in(broker) == 2

    def test_a_default_that_is_given_is_the_same_work(self, broker: JobBroker):
        actor = an_actor(broker, lambda x, y=1: None, unique={})
        assert actor.send(1).message_id == actor.send(1, y=1).message_id == actor.send(x=1).message_id
        assert actor.send(1, 2).message_id != actor.send(1).message_id

    def test_one_message_may_say_otherwise(self, broker: JobBroker, greet: Any):
        first = greet.send(1)
        other = greet.send_with_options(args=(1,), unique={"key": "mine", "on_conflict": "reject"})
        assert greet.send_with_options(args=(1,), unique=None).message_id not in (
            first.message_id,
            other.message_id,
        )
        with pytest.raises(DuplicateJob) as caught:
            greet.send_with_options(args=(5,), unique={"key": "mine", "on_conflict": "reject"})
        assert caught.value.id == other.message_id

    def test_middleware_hears_of_jobs_that_were_created_only(self, broker: JobBroker, greet: Any):
        heard = []

        class Listening(dramatiq.Middleware):
            def after_enqueue(self, broker: Any, message: Any, delay: Any) -> None:
                heard.append(message.args)

        broker.add_middleware(Listening())
        greet.send(1)
        greet.send(1)
        assert heard == [(1,)]

    @pytest.mark.parametrize(
        ("unique", "code"),
        [({"on": ["/users"]}, "no_such_argument"), ({"onn": []}, "bad_unique"), (5, "bad_unique")],
    )
    def test_mistakes_are_told_at_the_call(self, broker: JobBroker, greet: Any, unique: Any, code: str):
        with pytest.raises(InvalidJob) as caught:
            greet.send_with_options(args=(1,), unique=unique)
        assert caught.value.code == code
        assert jobs_in(broker) == 0

    def test_debounce_without_a_delay_is_a_mistake(self, broker: JobBroker, greet: Any):
        unique = {"key": "k", "on_conflict": "debounce"}
        with pytest.raises(InvalidJob, match="delay_ms"):
            greet.send_with_options(args=(1,), unique=unique)
        greet.send_with_options(args=(1,), unique=unique, delay=1_000)
        assert jobs_in(broker) == 1

    def test_mistake_of_an_actor_is_told_where_it_is_declared(self, broker: JobBroker):
        with pytest.raises(InvalidOption, match="belong together"):
            an_actor(broker, lambda: None, unique={"until": "window"})


class TestRunning:
    def test_replaced_arguments_are_those_that_run(self, declare: Declare, ended: Ended):
        ran = []
        actor = declare(lambda user, words: ran.append(words), unique={**BY_USER, "on_conflict": "replace"})
        first = actor.send_with_options(args=(1, "old"), delay=300)
        second = actor.send(1, "new")
        assert second.message_id == first.message_id
        assert ended(first).state is State.SUCCEEDED
        assert ran == ["new"]

    def test_result_of_a_duplicate_is_that_of_the_job_that_does_the_work(
        self, declare: Declare, served: JobBroker
    ):
        actor = declare(lambda x: x + 1, unique={})
        actor.send_with_options(args=(1,), delay=200)
        again = actor.send(1)
        backend = served.get_results_backend()
        assert again.get_result(backend=backend, block=True, timeout=10_000) == 2

    def test_newest_of_those_that_come_while_one_runs_follows_it(self, declare: Declare, ended: Ended):
        ran, go_on = [], threading.Event()

        def slow(n: int) -> None:
            ran.append(n)
            go_on.wait(10)

        actor = declare(slow, unique={"key": "one", "on_conflict": "keep_last"})
        first = actor.send(1)
        wait_until(lambda: ran)
        followers = {actor.send(n).message_id for n in (2, 3, 4)}
        go_on.set()
        assert len(followers) == 1
        assert ended(first).state is State.SUCCEEDED
        wait_until(lambda: len(ran) == 2)
        assert ran == [1, 4]

    def test_pipeline_whose_first_step_is_a_duplicate_is_refused(self, declare: Declare, served: JobBroker):
        head = declare(lambda: None, unique={})
        there = head.send_with_options(delay=60_000)
        with pytest.raises(DuplicateJob) as caught:
            dramatiq.pipeline([head.message(), head.message_with_options(unique=None)], broker=served).run()
        assert caught.value.id == there.message_id

    def test_follow_up_of_the_same_work_is_told_in_the_log(
        self, declare: Declare, ended: Ended, served: JobBroker
    ):
        never = declare(lambda x: x, unique={"key": "never", "on_conflict": "reject"})
        never.send_with_options(args=(0,), delay=60_000)
        first = declare(lambda: 1)
        pipe = dramatiq.pipeline([first.message(), never.message()], broker=served).run()
        assert ended(pipe.messages[0]).state is State.SUCCEEDED
        ((_, _, line),) = served.reads.log(pipe.messages[0].message_id)
        assert never.actor_name in line
