"""Writes how deliveries ended: one thread, many outcomes in one script call (group commit).

Worker threads only hand an outcome over. What gathers while a call is under way goes into the next one. A
crash before the write means that the job runs again, which at-least-once allows.
"""

import threading
from collections import deque
from time import monotonic

from dramatiq.logging import get_logger

from ..jobs.errors import StoreUnavailable
from ..store import Outcome, Store

BATCH = 100
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.05, 2.0


class Completions:
    """The outcomes of this process on their way to the store."""

    def __init__(self, store: Store) -> None:
        self._logger = get_logger(__name__, type(self))
        self._store = store
        self._waiting: deque[Outcome] = deque()
        self._changed = threading.Condition()
        self._writing = False
        self._give_up_at: float | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="completions", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, outcome: Outcome) -> None:
        """Hand an outcome over."""
        with self._changed:
            self._waiting.append(outcome)
            self._changed.notify_all()

    def stop(self, timeout: float) -> bool:
        """Write what waits, for at most ``timeout`` seconds while Redis is away; whether all was written."""
        with self._changed:
            self._stopped = True
            self._give_up_at = monotonic() + timeout
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._waiting and not self._writing, timeout)

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                self._write(batch)
            except Exception:
                self._logger.exception("Could not record %d outcomes; these jobs will run again.", len(batch))
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _next_batch(self) -> list[Outcome]:
        """What has gathered; empty when stopped and all is written."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped)
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._writing = bool(batch)
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
                self._logger.warning("Job %s: %s came too late, its claim was lost.", outcome.id, outcome.verb)

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
                return self._store.finish(batch)
            except StoreUnavailable as error:
                if self._give_up_at is not None and monotonic() > self._give_up_at:
                    raise
                self._logger.warning("Recording %d outcomes waits: %s", len(batch), error)
                with self._changed:
                    self._changed.wait(wait)
                wait = min(2 * wait, LAST_RETRY_SECONDS)
