"""The blocking wait for wake marks and the bell."""

from dataclasses import dataclass
from typing import Any

import redis

from .connection import COMMAND_TIMEOUT, connect, translated
from .keys import Keys
from .line import Line

BLOCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What ended a wait; nothing in it when the time was up or the bell only rang.

    Attributes:
        queue: the one whose mark was taken.
        cancelled: id and token of a delivery that should stop.
        word: what the process itself is asked to do; see lua/tell_worker.lua.
    """

    queue: str | None = None
    cancelled: tuple[str, str] | None = None
    word: str | None = None


class Listening:
    """A connection that only waits. Blocking needs one of its own, with a timeout above the wait.

    Args:
        url: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._client: redis.Redis = connect(url, retries=0, timeout=BLOCK_SECONDS + COMMAND_TIMEOUT)
        self._line = Line(self._client, tries=1)  # a lost mark must show
        self.keys = Keys(namespace)

    def wait(self, queues: list[str], session: str) -> Heard:
        """Wait for a mark on one of ``queues`` or for the session's bell, at most `BLOCK_SECONDS`."""
        bell = self.keys.bell(session)
        marks = {self.keys.wake(queue): queue for queue in queues}
        with translated():
            reply: Any = self._line.execute("BZPOPMIN", bell, *marks, BLOCK_SECONDS)
        if not reply:
            return Heard()
        key, word = reply[0].decode(), reply[1].decode()
        kind, _, rest = word.partition(" ")
        if key == bell and kind == "cancel":
            token, _, id = rest.partition(" ")
            return Heard(cancelled=(id, token))
        if key == bell and kind in ("quiet", "stop"):
            return Heard(word=kind)
        return Heard(queue=marks.get(key))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def put_back(self, queue: str) -> None:
        """Set a mark again that nobody here can use."""
        with translated():
            self._client.zadd(self.keys.wake(queue), {"w": 0})
