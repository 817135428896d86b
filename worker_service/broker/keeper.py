"""The keeper: a small process beside each worker process that holds its lease and cleans up after it.

Promises:
- The lease is extended even while a job holds the interpreter lock of the worker, but not while the worker is
  stopped (SIGSTOP): then others take its jobs.
- When the worker dies, however, its jobs are rescued at once. It has died when the pipe is closed or this
  process has another parent; both, because a child of a job may hold the pipe.
- A worker that lives and does not get on with its work is told of in its session, and in the end ended (progress).
- A job that still runs 30 s past its time limit (C code, a blocked call) ends the worker, gently if possible.
- It rescues other processes' lost sessions, lets jobs expire, prunes finished ones and sums counters up, so that a
  worker does nothing of that.

Run as ``python -m worker_service.broker.keeper PIPE_FD PAGE_FD PROCESS_FD``; the first line on the pipe holds
its orders.
"""

import json
import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from ..jobs.errors import StoreUnavailable
from ..store import Claimable, Rates, SessionLost, Store, connect
from .keeper_log import log_as_keeper
from .outage import Outage
from .page import Page
from .post_mortem import PostMortem
from .progress import ENDED_LEASES, LOOKS_PER_LEASE, Progress

LOOK_SECONDS = 0.25
HARD_LIMIT_SECONDS = 30.0
EXPIRE_SECONDS = 2.0
PRUNE_SECONDS = 60.0
ROLL_UP_SECONDS = 20.0
"""One process does it once in each minute; so it is done within so much of its beginning."""
PRUNED_SLICES = 20
"""Of 500 jobs, between two looks of a quarter of a second."""
AFTER_GRACE_SECONDS = 10.0
"""How much longer than its grace a worker may take to end that makes no progress."""
AFTER_DEATH_SECONDS = 0.05
"""Before the rescue of a dead worker: until then the server has seen its connections close, and wakes others."""

logger = logging.getLogger("worker_service.keeper")


class Keeper:
    """Args:
    pipe: to the worker.
    page: where the worker notes what has started.
    process: descriptor of the worker; see `post_mortem`.
    orders: see `keeping.KeeperOrders`.
    """

    def __init__(self, pipe: socket.socket, page: Page, process: int, orders: dict[str, Any]) -> None:
        self._pipe = pipe
        self._page = page
        self._parent: int = orders["parent"]
        self._post_mortem = PostMortem(self._parent, process)
        self._lease_ms: int = orders["lease_ms"]
        self._grace_seconds = orders["grace_ms"] / 1000
        self._retention: dict[str, tuple[int, int]] = {
            k: (v[0], v[1]) for k, v in orders["retention"].items()
        }
        self._store = Store(
            connect(orders["url"], timeout=max(1.0, self._lease_ms / 5000)), orders["namespace"]
        )
        self._rates = Rates(self._store.client, self._store.keys)
        self._claimable = Claimable(self._store.client, self._store.keys)
        self._progress = Progress(page, self._lease_ms / 1000, self._jobs_wait)
        self._queues: tuple[str, ...] = ()
        self._stalled_for = ""
        self._session = ""
        self._buffer = b""
        self._overdue = ""
        self._kill_at = 0.0
        lease = self._lease_ms / 1000
        self._outage = Outage(logger, "The keeper")
        away = self._goes_away
        self._chores: list[_Chore] = [
            _Chore(lease / LOOKS_PER_LEASE, self._look_at_progress, away),
            _Chore(lease / 3, self._extend, away),
            _Chore(lease / 5, self._rescue_lost, away),
            _Chore(EXPIRE_SECONDS, self._expire, away),
            _Chore(PRUNE_SECONDS, self._prune, away),
            _Chore(ROLL_UP_SECONDS, self._roll_up, away),
        ]

    def run(self) -> None:
        """Until the worker says bye or dies."""
        while True:
            if not self._read_orders():
                return None
            if os.getppid() != self._parent:
                return self._take_over()
            now = monotonic()
            for chore in self._chores:
                chore.do_when_due(now)
            self._watch_deadlines(now)

    def _read_orders(self) -> bool:
        """Wait a moment for orders; False when there is nothing left to do."""
        ready, _, _ = select.select([self._pipe], [], [], LOOK_SECONDS)
        if not ready:
            return True
        try:
            data = self._pipe.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._take_over()
            return False
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if "bye" in order:
                return False
            self._session = order["session"]
            if self._session:
                self._queues = ()
        return True

    def _goes_away(self, error: StoreUnavailable) -> None:
        self._outage.goes_on(error)
        self._progress.begin_anew()

    def _jobs_wait(self) -> bool:
        """Without a session, in the queues of the last one: a process that opens no other gets nowhere, too."""
        if self._session and not self._queues:
            self._queues = self._claimable.queues_of(self._session)
        return self._claimable.is_any(self._queues)

    def _extend(self) -> None:
        if not self._session or _is_stopped(self._parent):
            return
        try:
            stall = self._progress.stall()
            self._store.extend(
                self._session,
                self._lease_ms,
                memory_bytes=_memory_bytes(self._parent),
                stalled=None if stall is None else (int(stall.seconds * 1000), stall.duty),
            )
        except SessionLost:
            self._report({"lost": self._session})
            self._session = ""

    def _rescue_lost(self) -> None:
        rescued = self._store.rescue(self._lease_ms, self._store.server_run_id())
        if rescued.jobs:
            logger.warning("Rescued %d jobs of lost workers, %d of them dead.", rescued.jobs, rescued.dead)

    def _expire(self) -> bool:
        """One slice; the lease comes between two of them."""
        more = self._store.expire()[1]
        self._outage.ends()
        return more

    def _prune(self) -> bool:
        """Some slices, so that it is faster than jobs end; the lease comes between two such rounds."""
        return all(self._store.prune(self._retention)[1] for _ in range(PRUNED_SLICES))

    def _roll_up(self) -> None:
        self._rates.roll_up()

    def _look_at_progress(self) -> None:
        if _is_stopped(self._parent):
            self._progress.begin_anew()  # somebody has stopped it, and its lease runs out
            return
        was = self._progress.stall()
        self._progress.look(monotonic())
        stall = self._progress.stall()
        if stall is not None and was is None:
            logger.error(
                "The worker gets nowhere: it has a %s to do and did none for %d s.", stall.duty, stall.seconds
            )
        elif stall is None and was is not None:
            logger.warning("The worker gets on again.")
        if stall is None or self._stalled_for or self._progress.is_held_by_a_job():
            return
        if stall.seconds >= self._lease_ms / 1000 * ENDED_LEASES:
            self._stalled_for = f"made no {stall.duty} for {stall.seconds:.0f} s"
            self._kill_at = monotonic() + self._grace_seconds + AFTER_GRACE_SECONDS
            logger.error("The worker %s; it is ended.", self._stalled_for)
            os.kill(self._parent, signal.SIGTERM)

    def _watch_deadlines(self, now: float) -> None:
        started = self._page.started()
        if self._stalled_for and now >= self._kill_at:
            self._kill()
            return
        if self._overdue:
            others = [job for job in started if job.id != self._overdue]
            still = len(others) < len(started)
            if not still:
                self._overdue = ""
            elif not others or now >= self._kill_at:
                self._kill()
            return
        for job in started:
            if now > job.deadline + HARD_LIMIT_SECONDS:
                logger.error(
                    "Job %s ran %d s past its time limit; its worker is ended.", job.id, HARD_LIMIT_SECONDS
                )
                self._overdue, self._kill_at = job.id, now + self._grace_seconds
                self._report({"overdue": job.id})
                return

    def _kill(self) -> None:
        os.kill(self._parent, signal.SIGKILL)

    def _take_over(self) -> None:
        """The worker is dead: give its jobs back now. What had started is on the page."""
        if not self._session:
            return
        ended = " and ".join(filter(None, [self._stalled_for, self._post_mortem.how_it_ended()]))
        started = [job.id for job in self._page.started()]
        select.select([], [], [], AFTER_DEATH_SECONDS)
        give_up_at = monotonic() + 4 * self._lease_ms / 1000
        while monotonic() < give_up_at:
            try:
                rescued = self._store.rescue(
                    self._lease_ms,
                    "",
                    session=self._session,
                    started=started,
                    overdue=self._overdue,
                    ended=ended,
                )
            except StoreUnavailable:
                select.select([], [], [], LOOK_SECONDS)
                continue
            logger.warning("The worker %s; gave back %d jobs, %d dead.", ended, rescued.jobs, rescued.dead)
            if not rescued.more:
                return

    def _report(self, report: dict[str, str]) -> None:
        try:
            self._pipe.sendall(json.dumps(report).encode() + b"\n")
        except OSError:
            logger.debug("The worker has gone.")


class _Chore:
    """Something done again and again, at once where it says that more is to do; while Redis is away every second."""

    def __init__(
        self, every_seconds: float, do: Callable[[], bool | None], away: Callable[[StoreUnavailable], None]
    ) -> None:
        self._every = every_seconds
        self._do = do
        self._away = away
        self._at = monotonic()

    def do_when_due(self, now: float) -> None:
        if now < self._at:
            return
        self._at = now + self._every
        try:
            if self._do():
                self._at = now
        except StoreUnavailable as error:
            self._away(error)
            self._at = now + min(1.0, self._every)


def _memory_bytes(pid: int) -> int | None:
    """Resident bytes of a process; None where the system does not tell."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal. Known on Linux only."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[0] in (b"T", b"t")


def main() -> None:
    """Entry point of the process."""
    pipe = socket.socket(fileno=int(sys.argv[1]))
    page = Page(int(sys.argv[2]))
    with pipe.makefile("rb", buffering=0) as lines:
        first = lines.readline()
    if first:
        orders = json.loads(first)
        log_as_keeper(as_json=orders["log_as_json"], level=orders["log_level"])
        Keeper(pipe, page, int(sys.argv[3]), orders).run()


if __name__ == "__main__":
    main()
