"""A connection that one thread keeps for itself."""

from typing import Any

import redis
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import TimeoutError as NoAnswer

TRIES = 3


class Line:
    """Sends commands over one connection, without the work a shared client does for each of them.

    That work (checking a connection out and in, hooks for metrics) costs about as much as all else that a
    worker does for a small job. Not for more than one thread.

    Args:
        client: whose pool the connection is taken from.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._pool = client.connection_pool
        self._connection: Any = None

    def execute(self, *command: Any) -> Any:
        """Send one command that is safe to repeat; a lost connection is replaced, at most twice.

        Raises:
            redis.exceptions.RedisError: the server refused the command, or stays away.
        """
        for left in range(TRIES - 1, -1, -1):
            try:
                if self._connection is None:
                    self._connection = self._pool.get_connection()
                self._connection.send_command(*command, check_health=False)
                return self._connection.read_response()
            except (LostConnection, NoAnswer):
                self._drop()
                if not left:
                    raise

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._pool.release(self._connection)
            self._connection = None
