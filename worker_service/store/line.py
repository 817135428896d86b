"""A connection that one thread keeps for itself."""

from typing import Any

import redis
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import TimeoutError as NoAnswer


class Line:
    """Sends commands over one connection, without the work a shared client does for each of them.

    That work (checking a connection out and in, hooks for metrics) costs about as much as all else that a
    worker does for a small job. Not for more than one thread.

    Args:
        client: whose pool the connection is taken from.
        tries: how often a command is sent, at most, when the connection is lost.
    """

    def __init__(self, client: redis.Redis, tries: int = 3) -> None:
        self._tries = tries
        self._pool = client.connection_pool
        self._connection: Any = None

    def execute(self, *command: Any) -> Any:
        """Send one command that is safe to repeat; a lost connection is replaced.

        Raises:
            redis.exceptions.RedisError: the server refused the command, or stays away.
        """
        for _ in range(self._tries - 1):
            try:
                return self._exchange(*command)
            except (LostConnection, NoAnswer):
                self._drop()
        try:
            return self._exchange(*command)
        except (LostConnection, NoAnswer):
            self._drop()
            raise

    def _exchange(self, *command: Any) -> Any:
        if self._connection is None:
            self._connection = self._pool.get_connection()
        self._connection.send_command(*command, check_health=False)
        return self._connection.read_response()

    def release(self) -> None:
        """Give the connection back to the pool."""
        if self._connection is not None:
            self._pool.release(self._connection)
            self._connection = None

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._pool.release(self._connection)
            self._connection = None
