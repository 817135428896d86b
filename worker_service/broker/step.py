"""A step of the job that runs here, whoever keeps its ledger: the store (once), or a database (worker_service.sql)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..jobs.errors import StepMisused
from ..jobs.results import result_json
from ..jobs.steps import STEP_RESULT_LIMIT, check_name
from .current import current_delivery
from .proxy import JobProxy

_OPEN: ContextVar[tuple[JobProxy, str] | None] = ContextVar("open_step", default=None)
"""The step that this thread (or coroutine) is in. One of another job is a leftover of an interrupt."""


class Step:
    """What a job does once.

    Attributes:
        name: unique in its job.
        key: the same text in every run, for a service that does nothing twice under one key.
        result_text: ``result`` as it is kept; '' when it is known that nothing happened.
    """

    def __init__(self, name: str, key: str) -> None:
        self.name = name
        self.key = key
        self._is_done = False
        self.result_text = "null"

    @property
    def is_done(self) -> bool:
        """Whether it was done, now or by an earlier run: then do not do it."""
        return self._is_done

    @property
    def result(self) -> Any:
        """What it came to, as JSON gives it back: the same in the run that did it and in those that find it done."""
        return json.loads(self.result_text or "null")

    @result.setter
    def result(self, value: Any) -> None:
        if self._is_done:
            raise StepMisused(f"step {self.name!r} is done already: do it under `if not step.is_done` only")
        self.result_text = result_json(value, STEP_RESULT_LIMIT, f"the result of step {self.name!r}")

    def nothing_happened(self) -> None:
        """The effect was refused: entered when the block is left, so that the next run may try again. Setting a result
        afterwards withdraws it.

        Raises:
            StepMisused: the step is done.
        """
        if self.is_done:
            raise StepMisused(f"step {self.name!r} is done already: it did happen")
        self.result_text = ""

    def found_done(self, text: str) -> None:
        """It is done, with this result as JSON."""
        self._is_done, self.result_text = True, text


@contextmanager
def opened(name: str) -> Iterator[JobProxy]:
    """The delivery that runs here, in which a step of this name is open until the end of the ``with``.

    Raises:
        NoCurrentJob: no job runs here.
        StepMisused: the name cannot be used, or this run used it before, or another step is open.
    """
    job = current_delivery()
    check_name(name)
    if name in job.steps:
        raise StepMisused(f"step {name!r} comes a second time in one run: give each step a name of its own")
    open_step = _OPEN.get()
    if open_step is not None and open_step[0] is job:
        raise StepMisused(f"step {name!r} begins inside of step {open_step[1]!r}: put one after the other")
    job.steps.add(name)
    _OPEN.set((job, name))
    try:
        yield job
    finally:
        _OPEN.set(None)
