"""Actors with an effect that is to happen once, killed before a line of their code."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from sink import tell  # type: ignore[import-not-found] # found in the folder the command runs in
from sqlalchemy import create_engine, text

from worker_service import Happened, NotHappened, actor, current_job, once, sql
from worker_service.broker import block as block_module
from worker_service.broker import once as once_module
from worker_service.broker import step as step_module
from worker_service.jobs.errors import StoreUnavailable

SINK, SINK_FILE = os.environ["EFFECTS_SINK"], Path(os.environ["EFFECTS_FILE"])
DATABASE = os.environ.get("DATABASE_URL", "sqlite://")

#: Whose lines count: those of the function with the effect, or of once() too.
ONCE = {block_module.__file__, once_module.__file__, step_module.__file__}
TRACED = {__file__} | (ONCE if "KILL_IN_ONCE" in os.environ else set())

QUICK = {"min_backoff": 10, "max_backoff": 50}


def charge(order: str, **policy: Any) -> str:
    """Charge once."""
    receipt = f"receipt-{order}"
    with once("charge", **policy) as step:
        if not step.is_done:
            entry = ("charge", order)
            tell(SINK, *entry)
            step.result = receipt
    return str(step.result)


def charge_in_sql(order: str) -> str:
    """The same in a database."""
    engine = create_engine(DATABASE)
    with engine.begin() as connection, sql.once("charge", connection) as step:
        if not step.is_done:
            connection.execute(text("INSERT INTO charged VALUES (:name)"), {"name": order})
            step.result = f"receipt-{order}"
    return str(step.result)


def look(order: str) -> Happened | NotHappened:
    """Ask the bank's books whether it happened."""
    books = SINK_FILE.read_text().splitlines() if SINK_FILE.exists() else []
    charged = any(line.split()[:2] == ["charge", order] for line in books)
    return Happened(f"receipt-{order}") if charged else NotHappened()


def killed_before(number: int, call: Callable[[], str]) -> str:
    """Call a function; the first delivery is killed before the line that is run as the ``number``-th, from 0."""
    left = number

    def trace(frame: FrameType, happened: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in TRACED:
            return None
        if happened == "line":
            if left == 0:
                os.kill(os.getpid(), 9)
            left -= 1
        return trace

    if current_job().token.endswith(":1"):
        sys.settrace(trace)
    try:
        return call()
    finally:
        sys.settrace(None)


def number_of(order: str) -> int:
    """The line before which the job of this order is killed."""
    return int(order.rpartition(".")[2])


@actor(**QUICK)
def verified(order: str) -> str:
    """Asks the bank when the outcome is unknown."""
    return killed_before(number_of(order), lambda: charge(order, verify=lambda _: look(order)))


@actor(**QUICK)
def retried(order: str) -> str:
    """Charges again when the outcome is unknown."""
    return killed_before(number_of(order), lambda: charge(order, on_unknown="retry"))


@actor(**QUICK)
def manual(order: str) -> str:
    """Is given up when the outcome is unknown."""
    return killed_before(number_of(order), lambda: charge(order))


@actor(**QUICK)
def in_sql(order: str) -> str:
    """Charges in a database."""
    return killed_before(number_of(order), lambda: charge_in_sql(order))


@actor(**QUICK)
def slow(order: str) -> str:
    """Takes its time in the step, and fails once after it."""
    with once("charge") as step:
        if not step.is_done:
            tell(SINK, "charge", order)
            time.sleep(0.3)
            step.result = current_job().attempt
    if current_job().attempt == 1:
        raise ValueError("after the step")
    return f"charged in attempt {step.result}"


@actor(**QUICK)
def held(order: str, seconds: float) -> str:
    """Takes its time after the effect."""
    with once("charge", verify=lambda _: look(order)) as step:
        if not step.is_done:
            tell(SINK, "charge", order)
            time.sleep(seconds)
            step.result = "charged"
    return str(step.result)


def wait_for_an_outage() -> None:
    """Until the store does not answer."""
    try:
        while current_job().still_mine():
            time.sleep(0.01)
    except StoreUnavailable:
        return


@actor(**QUICK)
def begins_in_an_outage(order: str) -> None:
    """Comes to its step when the store has just gone."""
    if current_job().attempt == 1:
        tell(SINK, "ready", order)
        wait_for_an_outage()
    with once("charge") as step:
        if not step.is_done:
            tell(SINK, "charge", order)


@actor(**QUICK)
def ends_in_an_outage(order: str) -> None:
    """Has done it when the store has just gone."""
    with once("charge") as step:
        if not step.is_done:
            tell(SINK, "charge", order)
            wait_for_an_outage()
