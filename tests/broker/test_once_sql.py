"""worker_service.sql.once: the receipt of an effect in a database commits with it, or not at all."""

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Column, Engine, MetaData, Table, Text, create_engine, event, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.broker.conftest import Declare, Ended
from tests.waiting import wait_until
from worker_service import current_job
from worker_service.jobs.errors import NoCurrentJob, ReceiptsMissing, StepMisused
from worker_service.jobs.states import State
from worker_service.sql import create_receipts, once, receipts
from worker_service.store import Job

pytestmark = pytest.mark.sql

IS_POSTGRES = os.environ.get("TEST_DATABASE") == "postgresql"
QUICK = {"min_backoff": 1, "max_backoff": 2}

_numbers = itertools.count(1)


@pytest.fixture
def charges(engine: Engine) -> Iterator[Table]:
    """A table that effects go to, beside that of receipts."""
    table = Table(f"charges_{os.getpid()}_{next(_numbers)}", MetaData(), Column("key", Text))
    with engine.begin() as connection:
        create_receipts(connection)
        table.create(connection)
    yield table
    with engine.begin() as connection:
        table.drop(connection)


def charged(engine: Engine, charges: Table) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(select(charges.c.key)))


def receipts_of(engine: Engine, id: str) -> list[tuple[str, str | None]]:
    with engine.connect() as connection:
        rows = connection.execute(select(receipts.c.step, receipts.c.result).where(receipts.c.job_id == id))
        return [(step, result) for step, result in rows]


def message_of(job: Job) -> str:
    assert job.error is not None
    return str(job.error["message"])


def charging(
    engine: Engine, charges: Table, after: Callable[[], Any] = lambda: None, seen: list[bool] | None = None
) -> Callable[[], str]:
    """An actor that charges in a transaction, and then does something else."""

    def charge() -> str:
        with engine.begin() as connection, once("charge", connection) as step:
            if seen is not None:
                seen.append(step.is_done)
            if not step.is_done:
                connection.execute(charges.insert().values(key=step.key))
                step.result = {"id": "ch_1"}
        after()
        return str(step.result["id"])

    return charge


def raises(times: int) -> Callable[[], None]:
    left = iter([True] * times)

    def fail() -> None:
        if next(left, False):
            raise ValueError("after the commit")

    return fail


def test_table_is_created_once(engine: Engine):
    for _ in range(2):
        with engine.begin() as connection:
            create_receipts(connection)
    assert receipts_of(engine, "nobody") == []


def test_effect_with_a_receipt_is_not_done_again(
    declare: Declare, ended: Ended, engine: Engine, charges: Table
):
    seen: list[bool] = []
    message = declare(charging(engine, charges, raises(2), seen), **QUICK).send()

    job = ended(message)

    assert (job.state, job.result) == (State.SUCCEEDED, "ch_1")
    assert seen == [False, True, True]
    assert charged(engine, charges) == [f"{job.id}:charge"]
    assert receipts_of(engine, job.id) == [("charge", '{"id":"ch_1"}')]
    assert job.steps == []  # the ledger is the database's


def test_what_raises_in_the_block_leaves_neither_effect_nor_receipt_though_the_caller_commits(
    declare: Declare, ended: Ended, engine: Engine, charges: Table
):
    def charge() -> None:
        with engine.connect() as connection:
            connection.execute(charges.insert().values(key="before the step"))
            with suppress(ValueError), once("charge", connection) as step:
                connection.execute(charges.insert().values(key=step.key))
                raise ValueError("refused")
            connection.commit()

    job = ended(declare(charge).send())
    assert job.state is State.SUCCEEDED
    assert charged(engine, charges) == []
    assert receipts_of(engine, job.id) == []


def test_transaction_that_is_never_committed_leaves_neither(
    declare: Declare, ended: Ended, engine: Engine, charges: Table
):
    runs: list[bool] = []

    def charge() -> bool:
        with engine.connect() as connection:
            with once("charge", connection) as step:
                runs.append(step.is_done)
                if not step.is_done:
                    connection.execute(charges.insert().values(key=step.key))
            if len(runs) > 1:
                connection.commit()
        if len(runs) == 1:
            raise ValueError
        return step.is_done

    job = ended(declare(charge, **QUICK).send())
    assert (job.result, runs) == (True, [False, False])
    assert len(charged(engine, charges)) == 1


def test_steps_of_a_job_and_jobs_beside_each_other_have_receipts_of_their_own(
    declare: Declare, ended: Ended, engine: Engine, charges: Table
):
    def work() -> None:
        with engine.begin() as connection:
            for name in ("a", "b"):
                with once(name, connection) as step:
                    connection.execute(charges.insert().values(key=step.key))

    actor = declare(work)
    jobs = [ended(actor.send()) for _ in range(2)]
    assert charged(engine, charges) == [f"{job.id}:{step}" for job in jobs for step in "ab"]


def test_session_may_be_given(declare: Declare, ended: Ended, engine: Engine, charges: Table):
    seen: list[bool] = []

    def charge() -> None:
        with Session(engine) as session, session.begin(), once("charge", session) as step:
            seen.append(step.is_done)
            if not step.is_done:
                session.execute(charges.insert().values(key=step.key))
        if len(seen) < 2:
            raise ValueError

    job = ended(declare(charge, **QUICK).send())
    assert (job.state, seen) == (State.SUCCEEDED, [False, True])
    assert len(charged(engine, charges)) == 1


def test_error_in_a_session_leaves_neither(declare: Declare, ended: Ended, engine: Engine, charges: Table):
    def charge() -> None:
        with Session(engine) as session:
            with suppress(ValueError), once("charge", session) as step:
                session.execute(charges.insert().values(key=step.key))
                raise ValueError("refused")
            session.commit()

    job = ended(declare(charge).send())
    assert job.state is State.SUCCEEDED
    assert (charged(engine, charges), receipts_of(engine, job.id)) == ([], [])


class TestNothingHappened:
    def test_leaves_no_receipt_and_the_next_run_tries_again(
        self, declare: Declare, ended: Ended, engine: Engine, charges: Table
    ):
        seen: list[bool] = []

        def charge() -> None:
            with engine.begin() as connection, once("charge", connection) as step:
                seen.append(step.is_done)
                if len(seen) < 2:
                    connection.execute(charges.insert().values(key="refused"))
                    step.nothing_happened()
                elif not step.is_done:
                    connection.execute(charges.insert().values(key="charged"))
            seen.append(step.is_done)
            if len(seen) < 4:
                raise ValueError("refused")

        job = ended(declare(charge, **QUICK).send())
        assert (job.state, seen) == (State.SUCCEEDED, [False, False, False, True])
        assert charged(engine, charges) == ["refused", "charged"]  # what the caller commits beside it is his
        assert receipts_of(engine, job.id) == [("charge", "null")]

    def test_is_withdrawn_by_a_result(self, declare: Declare, ended: Ended, engine: Engine, charges: Table):
        def charge() -> None:
            with engine.begin() as connection, once("charge", connection) as step:
                step.nothing_happened()
                step.result = 1

        assert receipts_of(engine, ended(declare(charge).send()).id) == [("charge", "1")]

    def test_is_no_word_for_what_is_done(
        self, declare: Declare, ended: Ended, engine: Engine, charges: Table
    ):
        def charge() -> None:
            with engine.begin() as connection, once("charge", connection) as step:
                pass
            step.nothing_happened()

        assert "it did happen" in message_of(ended(declare(charge).send()))


@pytest.mark.parametrize("kind", ["engine", "driver", "url"])
def test_what_is_no_connection_of_sqlalchemy_is_refused_at_the_call(engine: Engine, kind: str):
    with engine.connect() as connection:
        given: Any = {"engine": engine, "driver": connection.connection.dbapi_connection, "url": engine.url}
        with pytest.raises(TypeError, match="takes a Connection or a Session of SQLAlchemy, not a "):
            once("charge", given[kind])


def test_missing_table_is_named_and_the_job_goes_on_when_it_is_there(
    declare: Declare, ended: Ended, engine: Engine, charges: Table
):
    with engine.begin() as connection:
        receipts.drop(connection)
    raised: list[BaseException] = []

    def charge() -> None:
        try:
            with engine.begin() as connection, once("charge", connection):
                pass
        except ReceiptsMissing as error:
            raised.append(error)
            with engine.begin() as connection:
                create_receipts(connection)
            raise

    assert ended(declare(charge, **QUICK).send()).state is State.SUCCEEDED
    assert [str(error) for error in raised] == [
        "the database has no table worker_service_receipts: call worker_service.sql.create_receipts(connection), once"
    ]


def test_step_that_is_used_without_with_is_refused(engine: Engine):
    with engine.connect() as connection:
        step: Any = once("charge", connection)
        with pytest.raises(StepMisused, match="outside of its block"):
            step.result = 1


class TestTwoRuns:
    """A run that lost its job goes on beside the one that has it now."""

    def race(
        self, engine: Engine, charges: Table, commit: bool
    ) -> tuple[Callable[[], bool], list[str], threading.Event]:
        """An actor whose first run keeps its transaction open, in a thread, until the event is set."""
        told: list[str] = []
        go_on = threading.Event()

        def first(id: str) -> None:
            with engine.connect() as connection:
                connection.execute(receipts.insert().values(job_id=id, step="charge", result='"first"'))
                connection.execute(charges.insert().values(key="first"))
                told.append("written")
                go_on.wait(10)
                told.append("ended")
                connection.commit() if commit else connection.rollback()

        def work() -> bool:
            thread = threading.Thread(target=first, args=(current_job().id,))
            thread.start()
            wait_until(lambda: told == ["written"])
            told.append("second waits")
            try:
                with engine.begin() as connection, once("charge", connection) as step:
                    told.append("second goes on")
                    was_done = step.is_done
                    if not was_done:
                        connection.execute(charges.insert().values(key="second"))
            finally:
                thread.join()
            return was_done

        return work, told, go_on

    @pytest.mark.parametrize(("commit", "keys"), [(True, ["first"]), (False, ["second"])])
    def test_second_waits_for_the_first_and_then_finds_its_receipt_or_takes_its_place(
        self, declare: Declare, ended: Ended, engine: Engine, charges: Table, commit: bool, keys: list[str]
    ):
        work, told, go_on = self.race(engine, charges, commit)
        message = declare(work, max_attempts=1).send()
        wait_until(lambda: "second waits" in told)
        wait_until(lambda: waits_for_a_lock(engine))

        go_on.set()

        job = ended(message)
        assert (job.state, job.result) == (State.SUCCEEDED, commit)
        assert told == ["written", "second waits", "ended", "second goes on"]
        assert charged(engine, charges) == keys

    @pytest.mark.skipif(not IS_POSTGRES, reason="SQLite has one writer at a time")
    def test_second_that_sees_an_older_snapshot_fails_and_finds_it_in_its_next_attempt(
        self, declare: Declare, ended: Ended, engine: Engine, charges: Table
    ):
        strict = engine.execution_options(isolation_level="REPEATABLE READ")
        seen: list[bool] = []

        def work() -> None:
            with strict.connect() as connection:
                connection.execute(select(charges)).all()  # takes the snapshot
                if not seen:
                    seen.append(False)
                    with engine.begin() as other:
                        values = {"job_id": current_job().id, "step": "charge", "result": "1"}
                        other.execute(receipts.insert().values(values))
                with once("charge", connection) as step:
                    seen.append(step.is_done)
                connection.commit()

        job = ended(declare(work, **QUICK).send())
        assert (job.state, job.attempts, seen) == (State.SUCCEEDED, 1, [False, True])
        assert charged(engine, charges) == []

    @pytest.mark.skipif(IS_POSTGRES, reason="PostgreSQL waits as long as it takes")
    def test_second_that_waits_longer_than_the_timeout_of_sqlite_fails_and_does_nothing(
        self, declare: Declare, ended: Ended, engine: Engine, charges: Table, database_url: str
    ):
        impatient = create_engine(database_url, connect_args={"timeout": 0.05})
        with engine.begin() as connection:
            connection.execute(charges.insert().values(key="of somebody else"))

            job = ended(declare(charging(impatient, charges), max_attempts=1).send())

        impatient.dispose()
        assert (job.state, job.error and job.error["type"]) == (State.DEAD, OperationalError.__name__)
        assert charged(engine, charges) == ["of somebody else"]


def waits_for_a_lock(engine: Engine) -> bool:
    """Whether somebody does, as far as the database tells."""
    if not IS_POSTGRES:
        return True
    with engine.connect() as connection:
        return bool(connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one())


class TestTransactionThatEnds:
    @pytest.mark.parametrize("end", ["commit", "rollback"])
    @pytest.mark.parametrize("make", ["connection", "session"])
    def test_inside_of_a_step_is_a_mistake(
        self, declare: Declare, ended: Ended, engine: Engine, charges: Table, end: str, make: str
    ):
        def work() -> None:
            with engine.connect() if make == "connection" else Session(engine) as given:
                with once("charge", given):
                    getattr(given, end)()
                    given.execute(charges.insert().values(key="afterwards"))
                given.commit()

        job = ended(declare(work).send())
        assert (job.state, job.reason) == (State.DEAD, "permanent_error")
        assert "the transaction ended inside of step 'charge'" in message_of(job)
        assert charged(engine, charges) == []

    def test_rollback_that_sqlalchemy_does_not_see_is_a_mistake_too(
        self, declare: Declare, ended: Ended, engine: Engine, charges: Table
    ):
        def work() -> None:
            with engine.begin() as connection, once("charge", connection):
                connection.execute(text("ROLLBACK"))

        assert "the transaction ended inside" in message_of(ended(declare(work).send()))

    def test_receipt_that_was_committed_in_the_middle_is_an_unknown_outcome(
        self, declare: Declare, ended: Ended, engine: Engine, charges: Table
    ):
        def work() -> None:
            with engine.begin() as connection:
                connection.execute(receipts.insert().values(job_id=current_job().id, step="charge"))
            with engine.begin() as connection, once("charge", connection) as step:
                connection.execute(charges.insert().values(key=step.key))

        job = ended(declare(work).send())
        assert (job.state, job.reason) == (State.DEAD, "unknown_outcome")
        assert charged(engine, charges) == []


class TestAutocommit:
    def dies(self, declare: Declare, ended: Ended, engine: Engine, charges: Table) -> None:
        job = ended(declare(charging(engine, charges)).send())
        assert (job.state, job.reason) == (State.DEAD, "permanent_error")
        assert "commits by itself" in message_of(job)
        assert charged(engine, charges) == []
        assert receipts_of(engine, job.id) == []

    def test_engine_that_commits_by_itself_is_refused(
        self, declare: Declare, ended: Ended, charges: Table, database_url: str
    ):
        engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
        self.dies(declare, ended, engine, charges)
        engine.dispose()

    def test_connection_that_commits_by_itself_is_refused(
        self, declare: Declare, ended: Ended, engine: Engine, charges: Table
    ):
        self.dies(declare, ended, engine.execution_options(isolation_level="AUTOCOMMIT"), charges)

    @pytest.mark.skipif(IS_POSTGRES, reason="a way to use SQLite")
    def test_driver_that_is_told_when_to_begin_is_fine(
        self, declare: Declare, ended: Ended, engine: Engine, charges: Table
    ):
        @event.listens_for(engine, "connect")
        def no_begin_of_its_own(driver: Any, _: Any) -> None:
            driver.isolation_level = None

        @event.listens_for(engine, "begin")
        def begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        engine.dispose()
        assert ended(declare(charging(engine, charges)).send()).result == "ch_1"
        assert len(charged(engine, charges)) == 1


def test_step_is_checked_as_any_other(declare: Declare, ended: Ended, engine: Engine, charges: Table):
    def work() -> None:
        with engine.begin() as connection, once("a", connection):
            for name in ("b c", "a", "d"):
                with pytest.raises(StepMisused), once(name, connection):
                    raise AssertionError
            raise ValueError("fine")

    job = ended(declare(work, max_attempts=1).send())
    assert message_of(job) == "fine"


def test_outside_of_a_job(engine: Engine):
    with engine.connect() as connection, pytest.raises(NoCurrentJob), once("charge", connection):
        pass
