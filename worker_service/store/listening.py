"""The blocking wait for wake marks and the bell."""

import redis

from .connection import COMMAND_TIMEOUT, connect, translated
from .keys import Keys

BLOCK_SECONDS = 10.0


class Listening:
    """A connection that only waits. Blocking needs one of its own, with a timeout above the wait.

    Args:
        url: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._client: redis.Redis = connect(url, retries=0, timeout=BLOCK_SECONDS + COMMAND_TIMEOUT)
        self.keys = Keys(namespace)

    def wait(self, queues: list[str], session: str) -> str | None:
        """Wait for a mark on one of ``queues`` or for the session's bell, at most `BLOCK_SECONDS`.

        Returns:
            The queue whose mark was taken; None for the bell or when the time is up.
        """
        bell = self.keys.bell(session)
        marks = {self.keys.wake(queue): queue for queue in queues}
        with translated():
            reply = self._client.bzpopmin([bell, *marks], timeout=BLOCK_SECONDS)
        return marks.get(reply[0].decode()) if reply else None  # type: ignore[index]

    def put_back(self, queue: str) -> None:
        """Set a mark again that nobody here can use."""
        with translated():
            self._client.zadd(self.keys.wake(queue), {"w": 0})
