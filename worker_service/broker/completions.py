"""Writes how deliveries ended: one thread, many outcomes in one script call (group commit).

Worker threads only hand an outcome over. What gathers while a call is under way goes into the next one. A
crash before the write means that the job runs again, which at-least-once allows.
"""

import threading
from collections.abc import Callable
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import NamedTuple

from dramatiq.logging import get_logger

from ..jobs.errors import StoreUnavailable
from ..store import Outcome, Store
from .holdings import Holdings
from .outage import Outage
from .signs import Sign, Signs

BATCH = 100
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.05, 1.0


class _Waiting(NamedTuple):
    outcome: Outcome
    then: Callable[[], None] | None


class Completions:
    """The outcomes of this process on their way to the store.

    Args:
        store: used by this thread alone.
        holdings: told of what is written, or cannot be.
        signs: told how far it gets.
    """

    def __init__(self, store: Store, holdings: Holdings, signs: Signs) -> None:
        self._logger = get_logger(__name__, type(self))
        self._outage = Outage(self._logger, "Recording outcomes")
        self._store = store
        self._holdings = holdings
        self._signs = signs
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._give_up_at = inf
        self._thread = threading.Thread(target=self._run, name="completions", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, outcome: Outcome, then: Callable[[], None] | None = None) -> None:
        """Hand an outcome over.

        Args:
            then: called when it is written, or cannot be.
        """
        self._signs.add(Sign.ENDED)
        self._waiting.put(_Waiting(outcome, then))

    def stop(self, timeout: float) -> bool:
        """Write what waits, for at most ``timeout`` seconds while Redis is away; whether all was written."""
        self._give_up_at = monotonic() + timeout
        self._waiting.put(None)
        self._thread.join(timeout + 1)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                self._write([each.outcome for each in batch])
            except Exception:
                self._logger.exception("Could not record %d outcomes; these jobs will run again.", len(batch))
            self._signs.add(Sign.WRITTEN, len(batch))
            self._holdings.remove((each.outcome.id, each.outcome.token) for each in batch)
            for each in batch:
                if each.then is not None:
                    each.then()

    def _next_batch(self) -> list[_Waiting]:
        """Waits for one outcome and takes what has gathered behind it; empty when stopped and all is written."""
        batch: list[_Waiting] = []
        while len(batch) < BATCH:
            try:
                waiting = self._waiting.get(block=not batch)
            except Empty:
                break
            if waiting is None:
                if batch:
                    self._waiting.put(None)  # the end comes after this batch
                break
            batch.append(waiting)
        return batch

    def _write(self, batch: list[Outcome]) -> None:
        try:
            words = self._finish(batch)
        except StoreUnavailable:
            raise
        except Exception:
            # The script refused the whole batch: find the outcome that it cannot take.
            self._logger.exception("A batch of %d outcomes failed; sending them one by one.", len(batch))
            words = [self._write_alone(outcome) for outcome in batch]
        for outcome, word in zip(batch, words, strict=True):
            if word == "broken":
                self._bury(outcome)
            elif word == "stale":
                self._logger.warning(
                    "Job %s: %s came too late, its claim was lost.", outcome.id, outcome.verb
                )

    def _write_alone(self, outcome: Outcome) -> str:
        try:
            return self._finish([outcome])[0]
        except StoreUnavailable:
            raise
        except Exception:
            self._logger.exception("Job %s: its outcome cannot be written.", outcome.id)
            return "broken"

    def _bury(self, outcome: Outcome) -> None:
        self._logger.error("Job %s: its outcome cannot be written; it is dead-lettered.", outcome.id)
        plain = Outcome(outcome.id, outcome.token, "dead_letter", reason="finish_failed", error=outcome.error)
        if self._finish([plain]) != ["done"]:
            self._logger.error("Job %s cannot be dead-lettered either; it will be rescued.", outcome.id)

    def _finish(self, batch: list[Outcome]) -> list[str]:
        """Until Redis is back, or the shutdown gives up."""
        wait = FIRST_RETRY_SECONDS
        while True:
            try:
                finished = self._store.finish(batch)
                self._signs.add(Sign.WRITES)
                self._outage.ends()
                return finished
            except StoreUnavailable as error:
                self._signs.add(Sign.WRITES)
                if monotonic() > self._give_up_at:
                    raise
                self._outage.goes_on(error)
                sleep(wait)
                wait = min(2 * wait, LAST_RETRY_SECONDS)
