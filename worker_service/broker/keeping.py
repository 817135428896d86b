"""Starts the keeper of this worker process and watches it: when it dies, this side extends and starts another."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dramatiq.logging import get_logger

from ..jobs.errors import StoreUnavailable
from .page import Page
from .post_mortem import open_myself
from .session import Session

RESTART_SECONDS = 1.0
OUTLIVED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a keeper does not heed: it ends when its worker has, whatever the group is told."""


@dataclass(frozen=True, slots=True)
class KeeperOrders:
    """What a keeper must know; it travels over its pipe, because the URL may hold a password."""

    url: str
    namespace: str
    lease_ms: int
    grace_ms: int
    parent: int
    retention: dict[str, tuple[int, int]]
    log_as_json: bool = False
    log_level: int = logging.INFO


class Keeping:
    """Args:
    orders: for the keeper.
    page: where this process notes what has started.
    session: what the keeper extends.
    on_overdue: called with the id of a job that ran far past its time limit; this process must end.
    """

    def __init__(
        self, orders: KeeperOrders, page: Page, session: Session, on_overdue: Callable[[str], None]
    ) -> None:
        self._logger = get_logger(__name__, type(self))
        self._orders = orders
        self._page = page
        self._myself = open_myself()
        self._session = session
        self._on_overdue = on_overdue
        self._pipe: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="keeper-watch", daemon=True)

    def start(self) -> None:
        """Start a keeper; best called while the process has one thread."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = [
                sys.executable,
                "-m",
                "worker_service.broker.keeper",
                str(theirs.fileno()),
                str(self._page.fd),
                str(self._myself),
            ]
            # Blocked from its first moment on, not only when it gets to ignoring them: a supervisor that
            # clears away what a dead worker left would end a keeper that is just starting, and its rescue.
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, OUTLIVED_SIGNALS)
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    pass_fds=[fd for fd in (theirs.fileno(), self._page.fd, self._myself) if fd >= 0],
                    env=_environment(),
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        with self._lock:
            self._pipe = ours
        self._send(asdict(self._orders))
        self.tell_session(self._session.id)

    def watch(self) -> None:
        """Begin to watch the keeper."""
        self._thread.start()

    def tell_session(self, session: str) -> None:
        """Name the session to extend; '' for none."""
        self._send({"session": session})

    def stop(self) -> None:
        """The session is closed: the keeper has nothing left to do."""
        self._ended.set()
        self._send({"bye": True})
        if self._process is not None:
            try:
                self._process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _send(self, order: dict[str, Any]) -> None:
        with self._lock:
            if self._pipe is None:
                return
            try:
                self._pipe.sendall(json.dumps(order).encode() + b"\n")
            except OSError:
                self._pipe = None  # the watch thread sees the same and starts another keeper

    def _watch(self) -> None:
        while not self._ended.is_set():
            self._read_reports()
            if self._ended.is_set():
                return
            self._logger.warning("The keeper process ended; starting another.")
            self._extend_here()
            try:
                self.start()
            except OSError as error:
                self._logger.error("No keeper can be started (%s); extending the lease from here.", error)
            self._ended.wait(RESTART_SECONDS)

    def _extend_here(self) -> None:
        try:
            self._session.extend()
        except StoreUnavailable as error:
            self._logger.warning("Extending the lease waits: %s", error)

    def _read_reports(self) -> None:
        """Until the keeper has gone."""
        pipe = self._pipe
        if pipe is None:
            return
        with pipe, pipe.makefile("rb") as lines:
            try:
                for line in lines:
                    self._heed(json.loads(line))
            except OSError:
                pass
        with self._lock:
            if self._pipe is pipe:
                self._pipe = None
        if self._process is not None:
            self._process.wait()

    def _heed(self, report: dict[str, str]) -> None:
        if "lost" in report:
            self._session.lose(report["lost"])
        elif "overdue" in report:
            self._on_overdue(report["overdue"])


def _environment() -> dict[str, str]:
    """The keeper imports this package from where this process found it, even when the folder has changed."""
    root = Path(__file__).resolve().parents[2]
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
