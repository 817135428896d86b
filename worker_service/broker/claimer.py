"""Fetches jobs for one worker process, never more than its idle threads can start.

A job that the next crash would end runs alone, so that it ends for what it does itself: while it is held, nothing
is claimed. What runs already goes on.

While nothing is known to wait, the listener has the order for one job, which the server carries out when a wake
mark comes. Otherwise one thread claims, when there is room and one of these holds: the last claim left something
behind, or a job that a claim announced is due now. The wait for the due instant happens here, on the monotonic clock:
a blocking command of the server ends up to 100 ms late.

Never are two claims under way: the listener's is called back before.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic, sleep

from dramatiq.logging import get_logger

from ..jobs.errors import StoreTooNew, StoreUnavailable
from ..store import Claim, ClaimedJob, ClaimOrder, Outcome, SessionLost, Store
from .holdings import Holdings
from .outage import Outage
from .proxy import JobProxy, describe
from .session import Session
from .signs import Sign, Signs
from .submission import decode

FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.05, 2.0
CALL_BACK_SECONDS = 1.0
"""Until the right to claim is taken back from a listener that does not return it: its connection is dead, say."""
GIVE_WAY_SECONDS = 0.0002
"""For the thread of a job that comes to an idle process: it would wait for the interpreter until the listener waits."""
LONGEST_WAIT_SECONDS = 3600.0
"""Before looking at the clock again: Python cannot wait for centuries at once."""


class Claimer:
    """Args:
    store: where jobs are claimed.
    session: the right to hold claims; opened here when there is none.
    finish: records an outcome without a run (an undecodable message).
    holdings: told of what is claimed.
    running: session -> what the store says that it holds, token by id.
    prefetch: how many jobs beyond the idle threads may be held.
    signs: told how far it gets.
    """

    def __init__(
        self,
        store: Store,
        session: Session,
        finish: Callable[[Outcome], None],
        holdings: Holdings,
        running: Callable[[str], Mapping[str, str]],
        prefetch: int,
        signs: Signs,
    ) -> None:
        self._logger = get_logger(__name__, type(self))
        self._outage = Outage(self._logger, "Claiming")
        self._store = store
        self._session = session
        self._finish = finish
        self._holdings = holdings
        self._running = running
        self._prefetch = prefetch
        self._signs = signs
        self._threads = 0
        self._inboxes: dict[str, SimpleQueue[JobProxy]] = {}
        self._held = 0
        self._suspects = 0
        self._alone = 0
        self._poked = True
        self._doubts = False
        self._maybe_more = False
        self._due_at: float | None = None
        self._is_claiming = False
        self._is_lent = False
        self._called_back_at: float | None = None
        self._is_unsettled = False
        self._bell_only = False
        self._stopped = False
        self._nonce = 0
        self._turn = 0
        self._changed = threading.Condition(threading.Lock())
        self._thread = threading.Thread(target=self._run, name="claimer", daemon=True)

    def start(self, threads: int, start_job: Callable[[JobProxy], bool]) -> None:
        """Begin to claim for a number of worker threads.

        Args:
            start_job: lets one of them run a job; False when the job has to come by its queue's consumer.
        """
        self._threads = threads
        self._start_job = start_job
        self._signs.set(Sign.THREADS, threads)
        self._thread.start()

    def stop(self) -> list[JobProxy]:
        """Stop claiming at once; returns what was fetched and not yet handed to a consumer."""
        self._signs.set(Sign.THREADS, 0)
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=2)
        with self._changed:
            return [job for inbox in self._inboxes.values() for job in _drain(inbox)]

    def subscribe(self, queue: str) -> SimpleQueue[JobProxy]:
        """Claim from this queue too; those of unknown actors arrive in the returned inbox."""
        inbox: SimpleQueue[JobProxy] = SimpleQueue()
        with self._changed:
            self._inboxes[queue] = inbox
            self._poked = True
            self._changed.notify_all()
        self._session.ring()
        return inbox

    def unsubscribe(self, queue: str, inbox: SimpleQueue[JobProxy]) -> list[JobProxy]:
        """Claim no more from this queue; returns what is still in the inbox."""
        with self._changed:
            if self._inboxes.get(queue) is inbox:
                del self._inboxes[queue]
            return _drain(inbox)

    def poke(self) -> None:
        """There may be work."""
        with self._changed:
            self._poked = True
            self._changed.notify_all()

    def doubt(self) -> None:
        """A connection was lost, and perhaps a mark with it, or what the server knew last."""
        with self._changed:
            self._doubts = self._poked = True
            self._changed.notify_all()

    def release(self, jobs: list[JobProxy]) -> None:
        """These jobs are no longer held: their threads are idle again."""
        if self._let_go([job.claimed for job in jobs]):
            sleep(0)  # Greenlets that find work do not give way: the claim would wait until none is left.

    def lend(self, session: str) -> ClaimOrder | None:
        """The order for one job, for the listener to send with its wait; to be settled after it.

        None, and then the listener waits for the bell alone, while no thread is idle, and while jobs are known to wait:
        the next claim comes anyhow, and the mark is for another process.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._is_claiming)
            is_busy = self._poked or self._maybe_more or not self._has_room()
            self._bell_only = is_busy or self._stopped or not self._inboxes or session != self._session.id
            if self._bell_only:
                return None
            self._is_lent = True
            return self._order(session, 1)

    def settle(self, order: ClaimOrder, claim: Claim | None) -> None:
        """What became of the order: its answer, or None when that is unknown. Lets what was claimed run."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_claiming)
            is_expected = self._called_back_at is not None
            self._is_lent, self._called_back_at = False, None
            if order.nonce != str(self._nonce):
                # It was taken back: what it got has come by another claim, but a mark that it took has not.
                claim, self._poked = None, True
            elif claim is None:
                self._poked = self._is_unsettled = True
            else:
                self._note(claim)
                self._maybe_more = claim.more or not self._has_room()
            if is_expected or self._poked or claim is None or claim.more or claim.next_due_ms is not None:
                self._changed.notify_all()  # else for nothing: it would take the interpreter from the job
        if claim is not None:
            self._hand_out(claim)
            if claim.jobs and not claim.more:
                sleep(GIVE_WAY_SECONDS)

    def _let_go(self, jobs: Iterable[ClaimedJob]) -> bool:
        """Whether there is a reason to claim now."""
        with self._changed:
            self._count(jobs, -1)
            has_reason = self._has_room() and (self._maybe_more or self._poked)
            if has_reason:
                self._changed.notify_all()
            return has_reason

    def _count(self, jobs: Iterable[ClaimedJob], by: int) -> None:
        for job in jobs:
            self._held += by
            self._suspects += by * (job.crashes > 0)
            self._alone += by * job.runs_alone
        self._signs.set(Sign.HELD, self._held)
        self._signs.set(Sign.ALONE, self._alone)

    def _capacity(self) -> int:
        return 0 if self._alone else self._threads + self._prefetch - self._held

    def _has_room(self) -> bool:
        """Not for each job that ends: half of those held in advance are left to run during the next claim."""
        return self._capacity() > self._prefetch // 2

    def _run(self) -> None:
        wait = FIRST_RETRY_SECONDS
        while True:
            try:
                if not self._wait_for_reason():
                    break
                if self._is_lent:
                    self._call_back()
                    continue
                self._session.ensure()
                self._claim()
                self._outage.ends()
                wait = FIRST_RETRY_SECONDS
            except SessionLost as lost:
                self._session.lose(str(lost))
                self._again()
            except StoreUnavailable as error:
                self._signs.add(Sign.ROUNDS)  # it is not stuck; what keeps jobs from it is out of its reach
                self._outage.goes_on(error)
                self._again(wait)
                wait = min(2 * wait, LAST_RETRY_SECONDS)
            except StoreTooNew as error:
                self._logger.critical("This process ends: %s", error)
                os.kill(os.getpid(), signal.SIGTERM)
                return
            except Exception:
                self._logger.exception("Claiming failed; trying again.")
                self._again(wait)
                wait = min(2 * wait, LAST_RETRY_SECONDS)

        with suppress(StoreUnavailable, SessionLost):
            self._call_back()
            if self._is_unsettled and self._inboxes:  # what a lost answer has brought goes back
                self._claim()

    def _again(self, pause: float = 0.0) -> None:
        with self._changed:
            if pause:
                self._changed.wait_for(lambda: self._stopped, pause)
            self._poked = True

    def _call_back(self) -> None:
        """Let the listener's wait end, and its order be carried out."""
        with self._changed:
            if not self._is_lent:
                return
            self._called_back_at = monotonic()
        try:
            self._session.ring()
        except BaseException:
            self._called_back_at = None
            raise

    def _wait_for_reason(self) -> bool:
        """Returns True when a claim should be made, False when stopped."""
        with self._changed:
            while not self._stopped:
                left = None if self._due_at is None else self._due_at - monotonic()
                if self._called_back_at is not None:
                    patience = self._called_back_at + CALL_BACK_SECONDS - monotonic()
                    if patience > 0:
                        self._changed.wait(patience)
                    else:
                        self._is_lent, self._called_back_at = False, None
                elif self._has_room() and self._inboxes:
                    if self._poked or self._maybe_more or (left is not None and left <= 0):
                        return True
                    self._changed.wait(None if left is None else min(left, LONGEST_WAIT_SECONDS))
                else:
                    self._changed.wait()
            return False

    def _claim(self) -> None:
        with self._changed:
            if self._is_lent:
                return
            order = self._order(self._session.id, self._capacity(), ring=self._bell_only)
            self._is_claiming = self._is_unsettled = True
            self._poked = self._maybe_more = False
        try:
            claim = self._store.claim(*order)
            with self._changed:
                self._note(claim)
                self._maybe_more = claim.more or len(claim.jobs) >= order.n or not self._has_room()
            self._hand_out(claim)
            if self._doubts:
                self._doubts = False
                self._give_back_what_is_not_here(order.session)
        finally:
            with self._changed:
                self._is_claiming = False
                self._changed.notify_all()

    def _order(self, session: str, n: int, *, ring: bool = False) -> ClaimOrder:
        suspects = int(self._suspects == 0)
        return ClaimOrder(session, str(self._nonce), n, self._queues_in_turn(), suspects, ring)

    def _note(self, claim: Claim) -> None:
        self._nonce += 1  # only now: repeated after a lost reply, the claim returns the same jobs
        self._is_unsettled = False
        self._signs.add(Sign.ROUNDS)
        self._holdings.add((job.id, job.token) for job in claim.jobs)
        self._count(claim.jobs, 1)
        self._due_at = None if claim.next_due_ms is None else monotonic() + claim.next_due_ms / 1000

    def _give_back_what_is_not_here(self, session: str) -> None:
        """A server that went back in time (a fail-over to one that lagged, a crash before its last fsync) has jobs
        run here that have ended; while this process lives, nobody would rescue them.

        Only here, after a claim that was answered and before another one can be under way, all that the store may
        have handed out is known.
        """
        known = self._holdings.copy()
        try:
            running = self._running(session)
        except StoreUnavailable:
            self._doubts = True
            raise
        for id, token in running.items() - known:
            self._logger.warning("Job %s is given back: by the store it runs here, but it does not.", id)
            self._finish(Outcome(id, token, "hand_back", reason="forgotten"))

    def _queues_in_turn(self) -> list[str]:
        queues = list(self._inboxes)
        self._turn = (self._turn + 1) % len(queues)
        return queues[self._turn :] + queues[: self._turn]

    def _hand_out(self, claim: Claim) -> None:
        for claimed in claim.jobs:
            try:
                job = JobProxy(decode(claimed), claimed)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others of this claim must run
                self._bury(claimed, error)
                continue
            with self._changed:
                inbox = None if self._stopped else self._inboxes.get(claimed.queue)
                if inbox is not None:
                    if not self._start_job(job):
                        inbox.put(job)
                    continue
            self._finish(Outcome(claimed.id, claimed.token, "hand_back"))
            self.release([job])

    def _bury(self, claimed: ClaimedJob, error: Exception) -> None:
        self._logger.error("Job %s has a message that cannot be read; it is dead-lettered.", claimed.id)
        self._finish(
            Outcome(
                claimed.id,
                claimed.token,
                "dead_letter",
                charged=False,
                reason="bad_message",
                error=describe(error),
            )
        )
        self._let_go([claimed])


def _drain(inbox: "SimpleQueue[JobProxy]") -> list[JobProxy]:
    jobs = []
    while True:
        try:
            jobs.append(inbox.get_nowait())
        except Empty:
            return jobs
