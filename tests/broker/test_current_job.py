"""current_job(): which job runs here."""

import asyncio
import threading

import pytest

from tests.broker.conftest import Declare, Ended
from tests.waiting import wait_until
from worker_service import current_job
from worker_service.broker.broker import JobBroker
from worker_service.broker.interrupts import LeaseLost
from worker_service.jobs.errors import NoCurrentJob
from worker_service.jobs.states import State


def test_actor_knows_its_job(declare: Declare, ended: Ended):
    def who() -> list[object]:
        job = current_job()
        return [job.id, job.attempt]

    message = declare(who).send()
    assert ended(message).result == [message.message_id, 1]


def test_attempts_of_a_job_have_one_id_and_different_numbers(declare: Declare, ended: Ended):
    seen: list[tuple[str, int]] = []

    def fail_twice() -> None:
        job = current_job()
        seen.append((job.id, job.attempt))
        if len(seen) < 3:
            raise ValueError("not yet")

    message = declare(fail_twice, min_backoff=1, max_backoff=2).send()
    ended(message)
    assert seen == [(message.message_id, number) for number in (1, 2, 3)]


def test_async_actors_that_run_side_by_side_each_know_their_own(declare: Declare, ended: Ended):
    together = threading.Barrier(4, timeout=10)

    async def who() -> list[str]:
        first = current_job().id
        await asyncio.to_thread(together.wait)
        inner = await asyncio.create_task(_id())
        return [first, inner, current_job().id]

    actor = declare(who)
    for message in [actor.send() for _ in range(4)]:
        assert ended(message).result == [message.message_id] * 3


async def _id() -> str:
    return current_job().id


def test_actor_called_as_a_function_by_another_sees_the_job_of_the_caller(declare: Declare, ended: Ended):
    inner = declare(lambda: current_job().id)

    def outer() -> str:
        return f"inside {inner()}"

    message = declare(outer).send()
    assert ended(message).result == f"inside {message.message_id}"


def test_outside_of_a_job_it_is_an_error_that_says_so():
    with pytest.raises(NoCurrentJob, match="no job runs here"):
        current_job()


def test_last_attempt_is_known_and_the_key_of_a_step_stays(declare: Declare, ended: Ended):
    seen: list[tuple[bool, str, str]] = []

    def fail() -> None:
        job = current_job()
        seen.append((job.is_last_attempt, job.idempotency_key("charge"), job.token))
        raise ValueError

    message = declare(fail, max_attempts=2, min_backoff=1, max_backoff=2).send()
    ended(message)
    assert [last for last, _, _ in seen] == [False, True]
    assert {key for _, key, _ in seen} == {f"{message.message_id}:charge"}
    assert len({token for _, _, token in seen}) == 2


class TestNotes:
    def test_progress_and_log_are_read_while_the_job_runs(
        self, served: JobBroker, declare: Declare, ended: Ended
    ):
        go_on = threading.Event()

        def work() -> None:
            current_job().progress(40, "half of it")
            current_job().log("one")
            current_job().log("two")
            go_on.wait(10)
            current_job().progress(100)

        message = declare(work).send()
        wait_until(lambda: len(served.reads.log(message.message_id)) == 2)
        job = served.reads.job(message.message_id)
        assert job is not None
        assert job.progress == {"percent": 40, "note": "half of it"}
        assert [(number, line) for _, number, line in served.reads.log(message.message_id)] == [
            (1, "one"),
            (1, "two"),
        ]
        go_on.set()
        assert ended(message).progress == {"percent": 100, "note": ""}

    @pytest.mark.parametrize("percent", [-1, 100.5, float("nan")])
    def test_percent_has_its_bounds(self, declare: Declare, ended: Ended, percent: float):
        job = ended(declare(lambda: current_job().progress(percent), max_attempts=1).send())
        assert job.error is not None
        assert job.error["type"] == "ValueError"

    def test_who_lost_the_job_can_neither_write_nor_believe_it_is_his(
        self, served: JobBroker, declare: Declare, ended: Ended
    ):
        lost: list[object] = []
        refused = threading.Event()

        def work() -> str:
            job = current_job()
            if job.token.endswith(":1"):
                take_away(served, job.id)
                lost.append(job.still_mine())
                for write in (lambda: job.progress(5), lambda: job.log("late"), job.raise_if_stopped):
                    with pytest.raises(LeaseLost):
                        write()
                refused.set()
            return job.token

        message = declare(work).send()
        job = ended(message)
        assert refused.wait(10)  # the job may end elsewhere before this run has seen that it lost it
        assert lost == [False]
        assert (job.state, job.result.rpartition(":")[2]) == (State.SUCCEEDED, "2")
        assert (job.progress, served.reads.log(message.message_id)) == (None, [])


def take_away(broker: JobBroker, id: str) -> None:
    """As a rescue would, without taking the process's other jobs."""
    keys, client = broker.store.keys, broker.store.client
    client.hdel(keys.running(broker.process.session.id), id)
    client.hset(keys.job(id), "state", "retrying")
    client.hdel(keys.job(id), "token", "place")
    client.zadd(keys.due("default"), {id: 0})
    client.zadd(keys.wake("default"), {"w": 0})
