"""Tests of your own actors without Redis and without a worker: a pytest plugin, and the same for other frameworks.

The fixture ``jobs`` of the plugin is a `Jobs`; `simulated` makes one without pytest. docs/own-actors.md shows how to
use them, and what is not simulated.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .killing import ProcessKilled, lines_of

if TYPE_CHECKING:
    from ..broker.broker import JobBroker
    from .jobs import Jobs

__all__ = ["ProcessKilled", "lines_of", "simulated"]


@contextmanager
def simulated(broker: "JobBroker | None" = None) -> "Iterator[Jobs]":
    """Keep the jobs that are sent in memory, until the end of the ``with``.

    Args:
        broker: of the actors; by default the one of ``from worker_service import actor``.

    Raises:
        AssertionError: at the end, when a crash that was asked for never came.
    """
    from .. import registry
    from .jobs import Jobs
    from .stub import Stub

    with Stub(broker or registry.broker()).in_place() as stub:
        made = Jobs(stub)
        yield made
        made.check_crashes()
