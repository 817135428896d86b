"""What one worker process runs beside Dramatiq's threads, and in which order it starts and stops.

Start: keeper while there is one thread (process boot); completions and interrupts, then claimer and listener once
all threads run (worker boot). The claimer opens the session, so that a worker may start before Redis does.

Stop: claim no more at once; hand unstarted jobs back; tell those actors that asked for it; let the rest end
within the grace, then interrupt them; write what ended; close the session, which hands back whatever is left.
A process told to end a second time does the same without the waiting.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from multiprocessing.util import Finalize
from time import sleep
from typing import Any, cast

import dramatiq
from dramatiq.common import iter_queue
from dramatiq.logging import get_logger
from dramatiq.middleware import Middleware, Shutdown

from ..jobs.errors import InvalidArguments, StoreUnavailable
from ..jobs.masking import is_sensitive, secrets_of
from ..jobs.signature import arguments_by_name, binds, typed_arguments
from ..logs import is_json, log_level
from ..settings import Settings
from ..store import Listening, Outcome, Queries, Store
from ..store.workers import Workers, names_text
from .boot import once_booted
from .claimer import Claimer
from .completions import Completions
from .holdings import Holdings
from .interrupts import Interrupts, LeaseLost
from .job_log import log_as_worker, log_end, log_start
from .keeping import KeeperOrders, Keeping
from .listener import Listener
from .log_records import scrub_log_records
from .page import Page
from .proxy import CURRENT, JobProxy, Notes
from .recycling import Recycling
from .served import choose_queues
from .session import Session
from .signs import Signs
from .submission import STORE_RESULT
from .thread_watch import ThreadWatch
from .work_queue import WorkQueue

DEFAULT_TIME_LIMIT_MS = 600_000
AFTER_GRACE_SECONDS = 3.0
LAST_FLUSH_SECONDS = 2.0
HAND_OUT_SECONDS = 0.05


class ArgumentsMismatch(TypeError):
    """Raised in a worker when a job's arguments do not fit its actor: retrying cannot help."""


class WorkerProcess(Middleware):
    """The broker's own middleware, first in the list: first on the way in, last on the way out.

    Args:
        store, reads: where the jobs are.
        settings: how this process behaves.
    """

    def __init__(self, store: Store, reads: Queries, settings: Settings) -> None:
        self._logger = get_logger(__name__, type(self))
        self._notes = Notes(store, reads)
        self._settings = settings
        self._page: Page | None = None
        self._worker: dramatiq.Worker | None = None
        self._ended = False
        self._is_stopping = False
        self._obeyed: set[str] = set()
        self._called_directly: set[str] = set()
        self._workers = Workers(store.client, store.keys)
        self._timers: list[threading.Timer] = []
        self.session = Session(store, settings.lease_ms, self._about, self._session_changed)
        self._holdings = Holdings()
        self._work_queue = WorkQueue()
        self._signs = Signs()
        self.completions = Completions(store.for_one_thread(), self._holdings, self._signs)
        self.claimer = Claimer(
            store.for_one_thread(),
            self.session,
            self.completions.put,
            self._holdings,
            self._workers.running,
            settings.prefetch,
            self._signs,
        )

    @property
    def actor_options(self) -> set[str]:
        return {"time_limit", "notify_shutdown", "max_attempts", "max_crashes", STORE_RESULT}

    def guard(self, actor: dramatiq.Actor[Any, Any]) -> None:
        """Wrap an actor's function so that only it is interrupted."""
        inner = actor.fn

        def guarded(*args: Any, **kwargs: Any) -> Any:
            job = CURRENT.get()
            if job is None or job.in_actor or job.actor_name != actor.actor_name:
                self._tell_direct_call(actor, job)
                return inner(*args, **kwargs)
            declared = actor.options.get("time_limit") or DEFAULT_TIME_LIMIT_MS
            limit = job.options.get("time_limit") or declared
            args, kwargs = _typed(inner, args, kwargs)
            try:
                return self.interrupts.run(job, limit, lambda: inner(*args, **kwargs))
            except TypeError as error:
                if binds(inner, args, kwargs):
                    raise
                raise ArgumentsMismatch(str(error)) from error

        guarded.__wrapped__ = inner  # type: ignore[attr-defined]
        guarded.__name__ = actor.actor_name
        actor.fn = guarded

    def _tell_direct_call(self, actor: dramatiq.Actor[Any, Any], job: JobProxy | None) -> None:
        """Once for each actor. In a worker it is composition: one actor calls another, or does so in its threads."""
        if job is not None or self._worker is not None or actor.actor_name in self._called_directly:
            return
        self._called_directly.add(actor.actor_name)
        name = actor.actor_name
        self._logger.warning(
            "%s(...) ran here, in this process, and no job was created: %s.send(...) enqueues one.",
            name,
            name,
        )

    # What Dramatiq tells us, in the order it happens.

    def after_process_boot(self, broker: dramatiq.Broker) -> None:
        log_as_worker()
        self._start_keeper()

    def _start_keeper(self) -> None:
        scrub_log_records()
        self._page = Page()
        self._signs.show_on(self._page)
        orders = KeeperOrders(
            url=self._settings.redis_url,
            namespace=self._settings.namespace,
            lease_ms=self._settings.lease_ms,
            grace_ms=self._settings.shutdown_grace_ms,
            parent=os.getpid(),
            retention=self._settings.retention,
            log_as_json=is_json(),
            log_level=log_level(),
        )
        self.keeping = Keeping(orders, self._page, self.session, self._overdue)
        try:
            self.keeping.start()
        except OSError as error:
            self._logger.error("No keeper can be started: %s", error)

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        choose_queues(worker, broker.get_declared_queues())
        if self._page is None:  # a Worker made by hand, without the dramatiq command
            self._start_keeper()
        assert self._page is not None
        self._worker = worker
        worker.work_queue = cast("Any", self._work_queue)  # its threads, which begin after this, take from it
        self.interrupts = Interrupts(self._page, self.session.is_current)
        listening = Listening(self._settings.redis_url, self._settings.namespace)
        self.listener = Listener(
            listening,
            self.claimer,
            self.session,
            self.interrupts.cancel,
            self._obey,
            self._look_for_missed,
        )
        self.keeping.watch()
        self.completions.start()
        self.interrupts.start()
        self.thread_watch = ThreadWatch(worker, self._signs)
        self.thread_watch.start()
        self.recycling = Recycling(self._settings)
        self.recycling.start()
        # Not atexit: Dramatiq's worker processes are multiprocessing children, which do not run it.
        Finalize(None, self._end, args=(0.0,), exitpriority=10)

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        once_booted(self._begin)

    def _begin(self) -> None:
        assert self._worker is not None
        if not self._ended:
            self.claimer.start(self._worker.worker_threads, self._start_job)
            self.listener.start()

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        job = cast("JobProxy", message)  # what our consumers hand out
        job.notes = self._notes
        job.secrets = _secrets(broker, job)
        CURRENT.set(job)
        log_start(job)

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        self._is_stopping = True
        self.thread_watch.stop()
        self.recycling.stop()
        self._stop_claiming()
        self.interrupts.interrupt(Shutdown, self._asked_to_be_told)
        grace = self._settings.shutdown_grace_ms / 1000
        self._after(grace, lambda: self.interrupts.interrupt(Shutdown, lambda _: True))
        self._after(grace + AFTER_GRACE_SECONDS, self._leave_now)

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        self._end(self._settings.shutdown_grace_ms / 1000)

    # What the consumers tell us.

    def finished(self, job: JobProxy) -> None:
        """A delivery ended on a worker thread."""
        job.is_finished = True
        self.recycling.count_job()
        release = partial(self.claimer.release, [job])
        is_kept = False
        try:
            if self.session.is_current(job.session):
                outcome = job.outcome()
                # What waits for its end may kill this process before that is written.
                is_kept = job.claimed.runs_alone
                self.completions.put(outcome, release if is_kept else None)
                log_end(job, outcome)
            else:
                self._holdings.remove([(job.claimed.id, job.claimed.token)])
        finally:
            CURRENT.set(None)
            if not is_kept:
                release()

    def _start_job(self, job: JobProxy) -> bool:
        """Let a thread run it; that of an unknown actor Dramatiq refuses before, by the thread of its queue."""
        assert self._worker is not None
        if job.actor_name not in self._worker.broker.actors:
            return False
        self._work_queue.put(job)
        return True

    def hand_back(self, jobs: Iterable[JobProxy]) -> None:
        """These deliveries did not start: back to their old place."""
        unstarted = list(jobs)
        for job in unstarted:
            self.completions.put(Outcome(job.claimed.id, job.claimed.token, "hand_back"))
        self.claimer.release(unstarted)

    def _about(self) -> dict[str, str]:
        assert self._worker is not None
        broker, only = self._worker.broker, self._worker.consumer_whitelist
        return {
            "host": socket.gethostname()[:64],
            "pid": str(os.getpid()),
            "threads": str(self._worker.worker_threads),
            "version": version("worker-service"),
            "lease_ms": str(self._settings.lease_ms),
            "queues": names_text(
                [queue for queue in broker.get_declared_queues() if not only or queue in only]
            ),
            "actors": names_text(list(broker.get_declared_actors())),
        }

    def _session_changed(self, session: str) -> None:
        self.keeping.tell_session(session)
        if not session:
            self.interrupts.interrupt(LeaseLost, lambda _: True)
        self.claimer.poke()

    def _overdue(self, id: str) -> None:
        self._logger.error("Job %s does not end; this process stops and its keeper kills it.", id)
        self._stop_claiming()

    def _obey(self, word: str) -> None:
        """Take no more jobs, or stop as by SIGTERM. Told once: a second signal would not wait for what runs."""
        if word in self._obeyed:
            return
        self._obeyed.add(word)
        self._logger.info(
            "Somebody asks this process to %s.", "take no more jobs" if word == "quiet" else word
        )
        if word == "quiet":
            self._stop_claiming()
        elif not self._is_stopping:
            os.kill(os.getpid(), signal.SIGTERM)

    def _look_for_missed(self) -> None:
        """The bell may have been taken by a connection that broke."""
        for word in self._workers.words(self.session.id):
            self._obey(word)
        for id, token in self._notes.reads.cancel_asked(self.interrupts.running()):
            self.interrupts.cancel(id, token)

    def _asked_to_be_told(self, job: JobProxy) -> bool:
        assert self._worker is not None
        actor = self._worker.broker.get_actor(job.actor_name)
        return bool(job.options.get("notify_shutdown", actor.options.get("notify_shutdown")))

    def _stop_claiming(self) -> None:
        self.hand_back(self.claimer.stop())
        self._hand_back_queued()
        sleep(HAND_OUT_SECONDS)  # a consumer thread may be just moving a job from its inbox
        self._hand_back_queued()

    def _hand_back_queued(self) -> None:
        self.hand_back(item.message for item in iter_queue(self._work_queue))

    def _after(self, seconds: float, do: Callable[[], Any]) -> None:
        timer = threading.Timer(seconds, do)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

    def _leave_now(self) -> None:
        """The grace is over and a thread does not end: its job goes back, and it dies with this process."""
        if not self._ended:
            self._logger.warning("Not all jobs ended within the grace; handing them back.")
            self._end(LAST_FLUSH_SECONDS)
            os._exit(0)

    def _end(self, flush_seconds: float) -> None:
        """Write what ended and leave. Called once, by whichever way out comes first."""
        if self._ended:
            return
        self._ended = True
        for timer in self._timers:
            timer.cancel()
        self.claimer.stop()
        written = self.completions.stop(max(flush_seconds, LAST_FLUSH_SECONDS))
        if not written:
            self._logger.error("Redis stayed away: some jobs that ended will run again.")
        try:
            self.listener.stop()
            self.session.close(self.interrupts.running())
        except StoreUnavailable as error:
            self._logger.error("The session could not be closed (%s); its jobs are rescued later.", error)
            return  # the keeper goes on to do it
        self.keeping.stop()
        self.interrupts.stop()


def _secrets(broker: dramatiq.Broker, job: JobProxy) -> tuple[str, ...]:
    actor = broker.actors.get(job.actor_name)
    if actor is None or not is_sensitive(actor.fn):
        return ()
    return secrets_of(actor.fn, arguments_by_name(actor.fn, tuple(job.args), job.kwargs))


def _typed(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    try:
        return typed_arguments(fn, args, kwargs)
    except (InvalidArguments, TypeError) as error:
        raise ArgumentsMismatch(str(error)) from error
