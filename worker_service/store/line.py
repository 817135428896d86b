"""A connection that one thread keeps for itself."""

import os
from collections import deque
from typing import Any

import redis
from hiredis import pack_command
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as NoAnswer

KEPT_PART = 4
"""One in so many connections of a pool at most is kept for later by `Lines`: the others are for everybody."""


class Lines:
    """Sends each command over a line that no other thread uses meanwhile.

    A burst needs as many lines as it has threads; few are kept after it, or nobody else would get a connection again.

    Args:
        client: whose pool the connections are taken from.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._free: deque[Line] = deque()
        self._kept = client.connection_pool.max_connections // KEPT_PART
        self._process = os.getpid()

    def execute(self, *command: Any) -> Any:
        """Send one command that is safe to repeat; see `Line.execute`. One that is not answered is not repeated."""
        if self._process != os.getpid():  # of a fork: the parent goes on to use its own
            self._free, self._process = deque(), os.getpid()
        try:
            line = self._free.pop()
        except IndexError:
            line = Line(self._client, repeats_unanswered=False)
        try:
            reply = line.execute(*command)
        except ResponseError:
            self._keep(line)
            raise
        except BaseException:  # an interrupt too: an answer may be on its way that nobody waits for
            line.drop()
            raise
        self._keep(line)
        return reply

    def _keep(self, line: "Line") -> None:
        if len(self._free) < self._kept:
            self._free.append(line)
        else:
            line.release()


class Line:
    """Sends commands over one connection, without the work a shared client does for each of them.

    That work (checking a connection out and in, hooks for metrics) costs about as much as all else that a
    worker does for a small job. Not for more than one thread.

    Args:
        client: whose pool the connection is taken from.
        tries: how often a command is sent, at most, when the connection is lost.
        repeats_unanswered: whether it is sent again also when no answer comes in time.
    """

    def __init__(self, client: redis.Redis, tries: int = 3, *, repeats_unanswered: bool = True) -> None:
        self._tries = tries
        self._repeated = (LostConnection, NoAnswer) if repeats_unanswered else (LostConnection,)
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
            except self._repeated:
                self.drop()
        try:
            return self._exchange(*command)
        except (LostConnection, NoAnswer):
            self.drop()
            raise

    def send(self, *command: Any) -> None:
        """Send a command whose reply is read later, by `reply`; each in turn.

        Raises:
            redis.exceptions.ConnectionError: the connection was lost, with all that has not been replied.
        """
        self._send(command)

    def reply(self) -> Any:
        """What the server says to the first command that was sent and not replied.

        Raises:
            redis.exceptions.RedisError: the server refused it, or stays away.
        """
        return self._connection.read_response()

    def execute_both(self, first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, Any]:
        """Send two commands at once: the server begins the second one as soon as the first has ended, which may block.

        Returns:
            The replies; that of the second may be the error with which the server refused it.

        Raises:
            redis.exceptions.RedisError: the server refused the first one, or stays away.
        """
        try:
            self._send(first, second)
            reply, other = self._reply_or_error(), self._reply_or_error()
        except (LostConnection, NoAnswer):
            self.drop()
            raise
        if isinstance(reply, ResponseError):
            raise reply
        return reply, other

    def _exchange(self, *command: Any) -> Any:
        self._send(command)
        return self._connection.read_response()

    def _send(self, *commands: tuple[Any, ...]) -> None:
        if self._connection is None:
            self._connection = self._pool.get_connection()
        elif self._connection.should_reconnect():
            raise LostConnection("Another server has become the primary.")
        # redis-py would look at each argument before it does the same, which costs more than the rest of a call.
        packed = [pack_command(command) for command in commands]
        self._connection.send_packed_command(packed, check_health=False)

    def _reply_or_error(self) -> Any:
        try:
            return self._connection.read_response()
        except ResponseError as error:
            return error

    def release(self) -> None:
        """Give the connection back to the pool."""
        if self._connection is not None:
            self._pool.release(self._connection)
            self._connection = None

    def drop(self) -> None:
        """Close the connection; the next command opens another one."""
        if self._connection is not None:
            self._connection.disconnect()
            self._pool.release(self._connection)
            self._connection = None
