"""Processes that die at a chosen point, and what is left then."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import Engine, create_engine, text

from worker_service import once
from worker_service.broker.broker import JobBroker
from worker_service.jobs.states import State
from worker_service.sql import create_receipts
from worker_service.sql import once as sql_once
from worker_service.testing import lines_of, simulated
from worker_service.testing.jobs import Jobs

Actor = Callable[..., Any]


class Bank:
    def __init__(self) -> None:
        self.charges: list[str] = []

    def charge(self, key: str) -> str:
        if key not in self.charges:
            self.charges.append(key)
        return f"ch_{len(self.charges)}"


def pay(bank: Bank) -> str:
    with once("charge", on_unknown="retry") as step:
        if not step.is_done:
            step.result = bank.charge(step.key)
    receipt = step.result
    return f"paid {receipt}"


def pay_in_sql(engine: Engine) -> None:
    with engine.begin() as connection, sql_once("pay", connection) as step:
        if not step.is_done:
            connection.execute(text("INSERT INTO payments VALUES (7)"))
            step.result = 7


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def paying(actor: Actor, bank: Bank) -> Any:
    return actor(actor_name="paying")(lambda: pay(bank))


@pytest.mark.parametrize("point", ["before", "after"])
def test_killed_job_is_delivered_again(jobs: Jobs, paying: Any, bank: Bank, point: str):
    message = paying.send()
    given: Any = {point: bank.charge}
    jobs.crash(**given)
    assert jobs.run_due() == {"crash": 1}
    assert len(bank.charges) == (point == "after")
    assert jobs.one(message).state is State.RETRYING
    assert jobs.one(message).steps == {"charge": "begun"}
    assert jobs.drain() == {"complete": 1}
    assert (jobs.one(message).attempts, jobs.one(message).crashes) == (0, 1)
    assert len(bank.charges) == 1


@pytest.mark.parametrize("line", lines_of(pay))
def test_killed_at_any_line_it_charges_once(jobs: Jobs, paying: Any, bank: Bank, line: int):
    message = paying.send()
    jobs.crash(at_line=(pay, line))
    assert jobs.drain() == {"crash": 1, "complete": 1}
    assert len(bank.charges) == 1
    assert jobs.one(message).result == "paid ch_1"


@pytest.mark.parametrize("line", lines_of(pay_in_sql))
def test_receipt_and_effect_are_written_once_wherever_it_is_killed(
    jobs: Jobs, actor: Actor, tmp_path: Path, line: int
):
    engine = create_engine(f"sqlite:///{tmp_path}/test.db")
    with engine.begin() as connection:
        create_receipts(connection)
        connection.execute(text("CREATE TABLE payments (amount INTEGER)"))
    paying = actor(actor_name="paying")(lambda: pay_in_sql(engine))
    paying.send()
    jobs.crash(at_line=(pay_in_sql, line))
    jobs.drain()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM payments")) == 1
    engine.dispose()


def test_death_after_the_work_loses_its_result(jobs: Jobs, paying: Any):
    message = paying.send()
    jobs.crash(after=paying)
    assert jobs.run_due() == {"crash": 1}
    assert not jobs.one(message).has_result


def test_third_death_is_the_last(jobs: Jobs, paying: Any, bank: Bank):
    message = paying.send()
    jobs.crash(before=bank.charge, times=3)
    assert jobs.drain(may_die=True) == {"crash": 3}
    assert (jobs.one(message).state, jobs.one(message).reason) == (State.DEAD, "worker_lost")


def test_what_a_dying_process_still_says_reaches_nobody(jobs: Jobs, actor: Actor):
    @actor()
    def other() -> None: ...

    partner = Mock()
    partner.call.side_effect = jobs.kill

    @actor()
    def tidy() -> None:
        try:
            partner.call()
        finally:
            other.send()

    tidy.send()
    assert jobs.run_due() == {"crash": 1}
    jobs.assert_not_enqueued(other)


def test_async_actor_dies_where_it_waits(jobs: Jobs, actor: Actor):
    calls: list[str] = []

    async def ask(word: str) -> str:
        calls.append(word)
        await asyncio.sleep(0)
        return word

    @actor()
    async def asking() -> str:
        return await ask("a") + await ask("b")

    message = asking.send()
    jobs.crash(after=ask)
    assert jobs.run_due() == {"crash": 1}
    assert calls == ["a"]
    assert jobs.drain() == {"complete": 1}
    assert jobs.one(message).result == "ab"


def test_crash_that_never_comes_fails_the_test(broker: JobBroker, paying: Any, bank: Bank):
    never = pytest.raises(AssertionError, match=r"no job came to where it was to crash: before Bank\.charge")
    with never, simulated(broker) as jobs:
        jobs.crash(before=bank.charge)


def test_what_python_cannot_stop_in_is_refused(jobs: Jobs):
    with pytest.raises(TypeError, match=r"is no Python function"):
        jobs.crash(before=len)
    with pytest.raises(TypeError, match="say one of"):
        jobs.crash()
