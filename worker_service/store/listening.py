"""The blocking wait for wake marks and the bell."""

from typing import Any

import redis

from .connection import COMMAND_TIMEOUT, connect, translated
from .keys import Keys
from .line import Line

BLOCK_SECONDS = 10.0


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

    def wait(self, queues: list[str], session: str) -> str | None:
        """Wait for a mark on one of ``queues`` or for the session's bell, at most `BLOCK_SECONDS`.

        Returns:
            The queue whose mark was taken; None for the bell or when the time is up.
        """
        bell = self.keys.bell(session)
        marks = {self.keys.wake(queue): queue for queue in queues}
        with translated():
            reply: Any = self._line.execute("BZPOPMIN", bell, *marks, BLOCK_SECONDS)
        return marks.get(reply[0].decode()) if reply else None

    def put_back(self, queue: str) -> None:
        """Set a mark again that nobody here can use."""
        with translated():
            self._client.zadd(self.keys.wake(queue), {"w": 0})
