"""Interrupts a running actor: time limit, cancellation, lost session, shutdown.

An asynchronous exception is delivered at some later bytecode of its thread. Delivered outside the actor's
function it kills the worker thread, or turns a failure into an acknowledged success. So one manager raises
them, only while a function is registered, each kind at most once for each run, and under a lock; on leaving, the
run deregisters under that lock and clears what is still pending. An actor that caught one and went on gets the next
one of another kind; while one has not arrived yet, the next takes its place. It cannot reach into C code: a call
that blocks there is met by the keeper's hard limit.
"""

import ctypes
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from dramatiq.logging import get_logger
from dramatiq.middleware import Interrupt, TimeLimitExceeded
from dramatiq.threading import is_gevent_active

from .job_log import log_still_running
from .page import Page
from .proxy import JobProxy

CHECK_SECONDS = 0.25
TELL_SECONDS = 60.0
"""After which the log says that a job still runs; and again each time that has trebled."""
MOST_CANCELLED = 1000
"""Cancelled deliveries that are remembered until they would start; each is named once, so old ones do no harm."""


class JobCancelled(Interrupt):
    """Raised in an actor whose job somebody cancelled. Clean up and let it through: the job does not run again."""


class LeaseLost(Interrupt):
    """Raised in an actor whose job was taken back: another process may be running it now."""


@dataclass(slots=True)
class _Run:
    job: JobProxy
    began: float
    deadline: float
    tell_at: float
    target: Any
    raised: set[type[Interrupt]] = field(default_factory=set)
    is_leaving: bool = False


class Interrupts:
    """The running actors of this process.

    Args:
        page: what the keeper reads when this process dies.
        is_current: whether a session may still run jobs.
    """

    def __init__(self, page: Page, is_current: Callable[[str], bool]) -> None:
        self._logger = get_logger(__name__, type(self))
        self._page = page
        self._is_current = is_current
        self._runs: dict[int, _Run] = {}
        self._cancelled: deque[tuple[str, str]] = deque(maxlen=MOST_CANCELLED)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="interrupts", daemon=True)
        self._aim = _Greenlets() if is_gevent_active() else _Threads()

    def start(self) -> None:
        """Begin to watch deadlines."""
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()

    def run(self, job: JobProxy, limit_ms: float, call: Callable[[], Any]) -> Any:
        """Call an actor's function so that it can be interrupted, and nothing else can.

        Args:
            limit_ms: how long it may run; ``inf`` for no limit.

        Raises:
            Interrupt: it was interrupted; and whatever the function raises.
        """
        ident = threading.get_ident()
        now = monotonic()
        run = _Run(job, now, now + limit_ms / 1000, now + TELL_SECONDS, self._aim.current())
        ended: tuple[bool, Any] | None = None
        try:
            try:
                self._enter(ident, run)
                try:
                    value = call()
                    ended = (True, value)
                except BaseException as error:  # noqa: BLE001 - raised again below, once out of reach
                    ended = (False, error)
                self._leave(ident)
            except Interrupt:
                # It arrived outside the function. From here on one more can come, which somebody is just raising.
                run.is_leaving = True
                self._leave(ident)
                raise
        except Interrupt:
            self._leave(ident)  # again, as that one may have cut it short; now nothing can
            if ended is None:  # it came before the function began; otherwise the end of that stands
                raise
        succeeded, value = ended
        if succeeded:
            return value
        try:
            raise value
        finally:
            del value, ended  # the traceback refers to this frame

    def interrupt(self, kind: type[Interrupt], which: Callable[[JobProxy], bool]) -> int:
        """Raise ``kind`` in every running actor whose delivery ``which`` accepts; returns how many."""
        with self._lock:
            return sum(self._raise(run, kind) for run in self._runs.values() if which(run.job))

    def cancel(self, id: str, token: str) -> None:
        """Interrupt this delivery, or keep it from starting when it is still to come."""
        with self._lock:
            runs = [
                run
                for run in self._runs.values()
                if (run.job.claimed.id, run.job.claimed.token) == (id, token)
            ]
            for run in runs:
                run.job.is_cancelled = True
                self._raise(run, JobCancelled)
            if not runs:
                self._cancelled.append((id, token))

    def running(self) -> list[str]:
        """Ids of the jobs whose actors run now."""
        with self._lock:
            return [run.job.message_id for run in self._runs.values()]

    def _raise(self, run: _Run, kind: type[Interrupt]) -> bool:
        if kind in run.raised or run.is_leaving:
            return False
        self._logger.warning("Interrupting job %s: %s.", run.job.message_id, kind.__name__)
        run.raised.add(kind)
        run.job.was_interrupted = True
        self._aim.throw(run.target, kind)
        return True

    def _enter(self, ident: int, run: _Run) -> None:
        job = run.job
        with self._lock:
            if not self._is_current(job.session):
                raise LeaseLost(f"job {job.message_id} was taken back before it started")
            if self._cancelled and (job.claimed.id, job.claimed.token) in self._cancelled:
                raise JobCancelled(f"job {job.message_id} was cancelled before it started")
            self._runs[ident] = run
            self._page.begin(ident, job.message_id, run.deadline)
        job.in_actor = True

    def _leave(self, ident: int) -> None:
        # An interrupt may cut this short anywhere, and then it is called again: so removing comes last.
        with self._lock:
            run = self._runs.get(ident)
            if run is None:
                return
            run.job.in_actor = False
            self._page.end(ident)
            if run.raised:
                self._aim.clear(run.target)
            del self._runs[ident]

    def _watch(self) -> None:
        while not self._stopped.wait(CHECK_SECONDS):
            now = monotonic()
            with self._lock:
                for run in self._runs.values():
                    if now >= run.deadline:
                        self._raise(run, TimeLimitExceeded)
                long = [run for run in self._runs.values() if now >= run.tell_at]
            for run in long:
                run.tell_at = now + 2 * (now - run.began)
                log_still_running(run.job, now - run.began, run.deadline - now)


class _Last(Interrupt):
    """Takes the place of an interrupt that nobody wants any more."""


class _Threads:
    """Asynchronous exceptions of CPython threads."""

    def current(self) -> int:
        return threading.get_ident()

    def throw(self, ident: int, kind: type[Interrupt]) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(kind))

    def clear(self, ident: int) -> None:
        """Put one in the place of what is pending for this thread, and let it arrive.

        To set none would do, were it not for the mark that all threads look at: up to Python 3.11 only one that arrives
        wipes it. With the mark left, all of the process is slower, and a trace function (a debugger, coverage) hangs.
        """
        try:
            self.throw(ident, _Last)
            while True:
                pass
        except _Last:
            return


class _Greenlets:
    """Exceptions thrown into greenlets by the hub."""

    def current(self) -> Any:
        import gevent

        return gevent.getcurrent()

    def throw(self, greenlet: Any, kind: type[Interrupt]) -> None:
        greenlet.kill(kind, block=False)

    def clear(self, _greenlet: Any) -> None:
        """The hub throws one in each of its turns, in the order it was told: a quiet turn says that none is left."""
        import gevent

        while True:
            try:
                gevent.sleep(0)
            except Interrupt:
                continue
            return
