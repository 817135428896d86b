"""current_job(): which job runs here."""

import asyncio
import threading

import pytest

from tests.broker.conftest import Declare, Ended
from worker_service import current_job
from worker_service.jobs.errors import NoCurrentJob


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
