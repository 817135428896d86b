"""The right of this worker process to hold claims, and what happens when it is lost."""

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping

from dramatiq.logging import get_logger

from ..jobs.errors import StoreUnavailable
from ..store import SessionLost, Store


class Session:
    """The current session of this process; after a loss a new one is opened under a new id.

    Args:
        store: where it is opened.
        lease_ms: how long it lasts without being extended.
        about: what the process is (host, pid, queues, ...), asked when a session is opened.
        on_change: called with the new id, or with '' when the session was lost.
    """

    def __init__(
        self,
        store: Store,
        lease_ms: int,
        about: Callable[[], Mapping[str, str]],
        on_change: Callable[[str], None],
    ) -> None:
        self._logger = get_logger(__name__, type(self))
        self._store = store
        self.lease_ms = lease_ms
        self._about = about
        self._on_change = on_change
        self._changed = threading.Condition()
        self.id = ""

    def is_current(self, session: str) -> bool:
        """Whether jobs claimed by this session may run."""
        return session == self.id

    def ensure(self) -> None:
        """Open a session unless there is one.

        Raises:
            StoreUnavailable: Redis is away.
        """
        if self.id:
            return
        self._store.check_schema()
        opened = uuid.uuid4().hex[:16]
        self._store.open_session(opened, self.lease_ms, self._about())
        with self._changed:
            self.id = opened
            self._changed.notify_all()
        self._on_change(opened)

    def lose(self, session: str) -> None:
        """The session was rescued: nothing it claimed is ours any more."""
        with self._changed:
            if session != self.id:
                return
            self.id = ""
        self._logger.error(
            "Session %s lost its lease: its jobs are taken back, a new session opens.", session
        )
        self._on_change("")
        with contextlib.suppress(StoreUnavailable):  # then the listener's wait has broken off by itself
            self._store.ring(
                session
            )  # it waits for the bell of this session, and has to turn to the next one

    def wait_until_open(self) -> str:
        """The id of the session, once there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self.id)
            return self.id

    def extend(self) -> None:
        """Move the lease forward; notices when it was lost.

        Raises:
            StoreUnavailable: Redis is away.
        """
        session = self.id
        if session:
            try:
                self._store.extend(session, self.lease_ms)
            except SessionLost:
                self.lose(session)

    def ring(self) -> None:
        """Make this process's listener look again at what to wait for."""
        if self.id:
            self._store.ring(self.id)

    def close(self, started: Iterable[str] = ()) -> None:
        """Leave; what is still held goes back uncharged.

        Args:
            started: ids of the jobs whose actors still run.

        Raises:
            StoreUnavailable: Redis is away; the jobs are rescued when the lease runs out.
        """
        with self._changed:
            session, self.id = self.id, ""
        if session:
            self._store.close_session(session, started=started)
