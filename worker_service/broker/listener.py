"""Waits on the server for a reason to claim: one blocking command over wake marks and the session's bell, and behind
it the claim of one job, if the claimer lends the right to that.

A mark wakes exactly one process. While no thread is idle the listener waits for the bell alone, because otherwise a
busy process swallows the wake-up of an idle one.
"""

import threading
from collections.abc import Callable

from dramatiq.logging import get_logger

from ..jobs.errors import StoreUnavailable
from ..store import Heard, Listening, SessionLost
from .claimer import Claimer
from .outage import Outage
from .session import Session

RETRY_SECONDS = 0.5


class Listener:
    """Args:
    listening: a connection of its own for the blocking command.
    claimer: told when there may be work.
    session: whose bell is heard.
    cancel: called with id and token of a delivery that should stop.
    obey: called with what the process is asked to do: quiet, stop.
    look_for_missed: called when any of this may have been lost.
    """

    def __init__(
        self,
        listening: Listening,
        claimer: Claimer,
        session: Session,
        cancel: Callable[[str, str], None],
        obey: Callable[[str], None],
        look_for_missed: Callable[[], None],
    ) -> None:
        self._logger = get_logger(__name__, type(self))
        self._outage = Outage(self._logger, "Listening")
        self._listening = listening
        self._claimer = claimer
        self._session = session
        self._cancel = cancel
        self._obey = obey
        self._look_for_missed = look_for_missed
        self._may_have_lost = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End before the session does: a mark taken by a process that is leaving would wake nobody.

        Raises:
            StoreUnavailable: Redis is away; then no mark can be taken either.
        """
        self._stopped.set()
        self._session.ring()
        if self._thread.is_alive():
            self._thread.join(timeout=1)

    def _run(self) -> None:
        try:
            self._listen()
        finally:
            self._listening.close()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            session = self._session.wait_until_open()
            try:
                if self._may_have_lost:
                    self._look_for_missed()
                    self._may_have_lost = False
                heard = self._wait(session)
                self._outage.ends()
                if heard.cancelled:
                    self._cancel(*heard.cancelled)
                if heard.word:
                    self._obey(heard.word)
            except SessionLost as lost:
                self._session.lose(str(lost))
            except StoreUnavailable as error:
                self._outage.goes_on(error)
                self._may_have_lost = True
                self._stopped.wait(RETRY_SECONDS)
                self._claimer.doubt()
            except Exception:
                self._logger.exception("Listening failed; trying again.")
                self._stopped.wait(RETRY_SECONDS)

    def _wait(self, session: str) -> Heard:
        order = self._claimer.lend(session)
        heard = Heard()
        try:
            heard = self._listening.wait(session, order)
        finally:
            if order is not None:
                self._claimer.settle(order, heard.claim)
        return heard
