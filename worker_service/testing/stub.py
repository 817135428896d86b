"""A broker whose jobs are in memory, and what stands in for a worker: a delivery at a time, in the thread of the test.

All but the store is what runs in production: the broker's checks of options and arguments, the way through JSON, the
middleware with its decisions about retries, Dramatiq's own processing of a message.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import PriorityQueue
from typing import Any, Self, cast

from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import AsyncIO, GroupCallbacks
from dramatiq.results import Results
from dramatiq.worker import WorkerThread

from ..broker.broker import JobBroker
from ..broker.interrupts import Interrupts
from ..broker.proxy import CURRENT, JobProxy, Notes
from ..broker.submission import decode
from ..store import Queries, Store
from .clock import Clock
from .killing import Point, ProcessKilled, watched
from .memory import Memory


class Stub:
    """Args:
    broker: of the actors; `in_place` exchanges its store.
    """

    def __init__(self, broker: JobBroker) -> None:
        self.broker = broker
        self.clock = Clock()
        self.memory = Memory(self.clock, self._function_of)
        self.points: list[Point] = []
        """Where processes die, in this order."""
        self.last_error: BaseException | None = None
        """Of the delivery before."""
        self._thread = WorkerThread(
            broker=broker,
            consumers=cast("Any", _Consumers(self._ended)),
            work_queue=PriorityQueue(),
            worker_timeout=1000,
        )

    @contextmanager
    def in_place(self) -> Iterator[Self]:
        """Exchange the broker's store until the end of the ``with``; connections are opened by neither."""
        store, reads = cast("Store", self.memory), cast("Queries", self.memory)
        results, groups = _middleware(self.broker, Results), _middleware(self.broker, GroupCallbacks)
        with ExitStack() as stack:
            for owner, name, value in (
                (self.broker, "store", store),
                (self.broker, "reads", reads),
                (self.broker.process, "_notes", Notes(store, reads)),
                (self.broker.process, "interrupts", cast("Interrupts", self)),
                (results.backend, "_reads", reads),
                (groups.rate_limiter_backend, "_store", store),
            ):
                _exchange(stack, owner, name, value)
            self._start_event_loop(stack)
            yield self

    def _start_event_loop(self, stack: ExitStack) -> None:
        loop = _middleware(self.broker, AsyncIO)
        loop.before_worker_boot(self.broker, cast("Any", None))
        stack.callback(loop.after_worker_shutdown, self.broker, cast("Any", None))

    def deliver(self, of: str = "") -> str | None:
        """Run the job that is next, once.

        Args:
            of: id of the only job that is wanted.

        Returns:
            Its id; None when no job is due.
        """
        claimed = self.memory.claim(of)
        if claimed is None:
            return None
        self.last_error = None
        before = CURRENT.get()
        self._thread.work_queue.put(cast("Any", (0, claimed.id)))
        self._thread.work_queue.get()
        try:
            self._thread.process_message(JobProxy(decode(claimed), claimed))
        finally:
            CURRENT.set(before)
            self.memory.is_cut_off = False
        return claimed.id

    def run(self, job: JobProxy, _limit_ms: float, call: Callable[[], Any]) -> Any:
        """Call an actor's function; the part of `Interrupts` that needs no worker."""
        job.in_actor = True
        try:
            with watched(self.points[0] if self.points else None, self._reached, _trace_event_loop):
                return call()
        finally:
            job.in_actor = False

    def cut_off(self) -> None:
        """The process dies: what its code still says reaches nobody."""
        self.memory.is_cut_off = True

    def _reached(self) -> None:
        del self.points[0]
        self.cut_off()

    def _ended(self, job: JobProxy) -> None:
        """A delivery ended."""
        job.is_finished = True
        self.last_error = job._exception
        if isinstance(job._exception, ProcessKilled):
            self.memory.crash(job.claimed.id)
            return
        word = "nack" if job.failed else "ack"
        self.broker.emit_before(word, job)
        self.memory.finish(job.outcome())
        self.broker.emit_after(word, job)

    def _function_of(self, actor: str) -> Callable[..., Any] | None:
        found = self.broker.actors.get(actor)
        return found.fn if found else None


class _Consumers(dict[str, Any]):
    """A consumer for whichever queue a message came from."""

    def __init__(self, ended: Callable[[JobProxy], None]) -> None:
        super().__init__()
        self._ended = ended

    def __missing__(self, _queue: str) -> "_Consumers":
        return self

    def post_process_message(self, message: JobProxy) -> None:
        self._ended(message)


def _trace_event_loop(trace: Any) -> None:
    """Async actors run on a thread of their own."""
    loop = get_event_loop_thread()
    assert loop is not None
    loop.loop.call_soon_threadsafe(sys.settrace, trace)


def _middleware(broker: JobBroker, kind: type[Any]) -> Any:
    return next(each for each in broker.middleware if isinstance(each, kind))


def _exchange(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    missing = object()
    before = vars(owner).get(name, missing)
    setattr(owner, name, value)
    stack.callback(lambda: delattr(owner, name) if before is missing else setattr(owner, name, before))
