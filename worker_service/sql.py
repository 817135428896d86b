"""once() for an effect in a SQL database: its receipt is written in the same transaction, so both exist, or neither.

There is no moment in which an effect has happened and nobody knows: exactly once, however often the job runs. Needs
SQLAlchemy (``pip install 'worker-service[sql]'``) and PostgreSQL or SQLite.

A receipt is inserted before the effect and completed after it. The unique key of the table is what two runs at the
same time meet at. On PostgreSQL the second insert waits until the first transaction ends, and then finds its receipt
or takes its place; under REPEATABLE READ or stricter it fails instead (a serialization failure), and the next attempt
finds it. On SQLite the insert takes the write lock of the database: the second one waits as long as the connection's
``timeout`` says (5 s by default), then fails as locked. Neither insert raises for a receipt that is there, which would
end a transaction of PostgreSQL, and no savepoint is used, which SQLite's driver would commit.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, DateTime, MetaData, Table, Text, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable

from .broker.block import Block
from .broker.current import CurrentJob
from .broker.step import Step, opened
from .jobs.errors import ReceiptsMissing, StepMisused, UnknownOutcome

receipts = Table(
    "worker_service_receipts",
    MetaData(),
    Column("job_id", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("result", Text),
)
"""One row for each effect: ``result`` is JSON, and NULL only inside of the transaction that is at it."""

_INSERT: dict[str, Callable[[Table], Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_UNDEFINED_TABLE = "42P01"


def create_receipts(connection: Connection) -> None:
    """Create the table of receipts unless it is there; once per database, with a user who may.

    Where tables are made by migrations, ``worker_service.sql.receipts`` describes it. Nobody deletes its rows: those
    older than you would still retry a job may go (column ``at``).
    """
    connection.execute(CreateTable(receipts, if_not_exists=True))


def once(name: str, connection: Connection | Session) -> Block[Step]:
    """Do something once in the transaction of ``connection``, although the job may run several times.

    The effect goes through the same connection, under ``if not step.is_done``; then commit as usual. Whatever is raised
    in the block rolls the whole transaction back. ``step.nothing_happened()`` leaves no receipt.

    Args:
        name: of the step, as for `worker_service.once`.
        connection: to PostgreSQL or SQLite; its transaction begins here, unless it has.

    Raises:
        TypeError: ``connection`` is neither a Connection nor a Session of SQLAlchemy.
        NoCurrentJob: no job runs here.
        ReceiptsMissing: the database has no table of receipts yet.
        StepMisused: a name or a place where a step cannot be; a connection that commits by itself; a transaction that
            was ended in the block.
        UnknownOutcome: an earlier transaction was committed in the middle of the step.
    """
    _check_connection(connection)
    return Block(name, _with_a_receipt(name, connection))


def _check_connection(given: Any) -> None:
    if not isinstance(given, Connection | Session):
        kind = f"{type(given).__module__}.{type(given).__qualname__}"
        raise TypeError(
            f"once() takes a Connection or a Session of SQLAlchemy, not a {kind}: "
            "`with engine.begin() as connection, once(name, connection) as step:`"
        )


@contextmanager
def _with_a_receipt(name: str, connection: Connection | Session) -> Iterator[Step]:
    with opened(name) as job:
        step = Step(name, CurrentJob(job).idempotency_key(name))
        ledger = _Receipt(connection, job.message_id, name)
        if not ledger.begin():
            step.found_done(ledger.result())
            yield step
            return
        try:
            yield step
            ledger.end(step.result_text)
        except BaseException:
            connection.rollback()
            raise
        if step.result_text:
            step.found_done(step.result_text)


class _Receipt:
    """The row of one step, in the transaction that is under way."""

    def __init__(self, given: Connection | Session, job_id: str, step: str) -> None:
        self._given = given
        self._connection = given.connection() if isinstance(given, Session) else given
        self._values = {"job_id": job_id, "step": step}
        self._row = (receipts.c.job_id == job_id) & (receipts.c.step == step)

    def begin(self) -> bool:
        """Insert it; False when it is there, committed by an earlier run."""
        insert = _INSERT.get(self._connection.dialect.name)
        if insert is None:
            raise StepMisused(
                f"receipts are kept in PostgreSQL and SQLite, not in {self._connection.dialect.name}"
            )
        inserting = insert(receipts).values(self._values).on_conflict_do_nothing().returning(receipts.c.step)
        if self._insert(inserting) is None:
            return False
        self._transaction = self._given.get_transaction()
        if _is_committed(self._connection):
            self._connection.execute(receipts.delete().where(self._row))
            raise StepMisused("the connection commits by itself (autocommit): a step needs a transaction")
        return True

    def _insert(self, inserting: Any) -> Any:
        try:
            return self._connection.execute(inserting).first()
        except DBAPIError as error:
            if _is_of_a_missing_table(error):
                raise ReceiptsMissing(
                    f"the database has no table {receipts.name}: call worker_service.sql.create_receipts(connection), "
                    "once"
                ) from error
            raise

    def result(self) -> str:
        """What an earlier run wrote at its end."""
        found: str | None = self._connection.execute(select(receipts.c.result).where(self._row)).scalar_one()
        if found is None:
            raise UnknownOutcome(
                f"step {self._values['step']!r} of job {self._values['job_id']} was committed in its middle: look what "
                "has happened, then set the result of its receipt (JSON), or delete that, and put the job back: "
                f"POST /v1/jobs/{self._values['job_id']}/retry"
            )
        return found

    def end(self, result: str) -> None:
        """Complete it, for the caller to commit; remove it when nothing happened (no result)."""
        if self._given.get_transaction() is self._transaction:
            change = receipts.update().values(result=result) if result else receipts.delete()
            ended = self._connection.execute(change.where(self._row))
            if ended.rowcount == 1:
                return
        raise StepMisused(f"the transaction ended inside of step {self._values['step']!r}: commit after it")


def _is_of_a_missing_table(error: DBAPIError) -> bool:
    """By the code of PostgreSQL, which its drivers show as ``sqlstate`` or ``pgcode``; by the words of SQLite."""
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    return code == _UNDEFINED_TABLE or str(error.orig).startswith(f"no such table: {receipts.name}")


def _is_committed(connection: Connection) -> bool:
    """Whether what was just written is committed already. Asked of the server or the driver, because there are many
    ways to set autocommit, and a driver in that mode may still be told BEGIN by somebody else.
    """
    if connection.dialect.name == "sqlite":
        driver = connection.connection.dbapi_connection
        return driver is not None and not driver.in_transaction
    return bool(connection.execute(text("SELECT txid_current_if_assigned() IS NULL")).scalar_one())
