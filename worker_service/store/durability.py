"""How safe a job has to be before its request is answered, beyond what the server does by itself."""

from typing import Literal

from redis.exceptions import ResponseError

from ..jobs.errors import NotDurable
from .connection import translated
from .keys import Keys
from .line import Line

Level = Literal["fsync", "replica"]

WAIT_MS = 3_000
"""Longer than the second between two fsyncs of an append-only file, shorter than a command may take."""

_COMMAND: dict[Level, tuple[str | int, ...]] = {
    "fsync": ("WAITAOF", 1, 0, WAIT_MS),
    "replica": ("WAIT", 1, WAIT_MS),
}
_WHERE: dict[Level, str] = {
    "fsync": "on the disk of the server",
    "replica": "in the memory of a second server",
}


def await_level(line: Line, keys: Keys, level: Level) -> None:
    """Wait until all that was written so far has reached a level.

    The server waits for the last write of the connection that asks, and may have written nothing for it (a repeated
    request); so something is written first.

    Args:
        line: the connection of the writes; after a fail-over another one would be told of other writes.

    Raises:
        NotDurable: it did not in time, or the server cannot.
        StoreUnavailable: the connection was lost.
    """
    with translated():
        line.execute("HSET", keys.meta, "awaited", level)
        try:
            reached = line.execute(*_COMMAND[level])
        except ResponseError as error:
            raise NotDurable(f"Redis cannot say whether the job is {_WHERE[level]}: {error}") from error
    if (reached[0] if isinstance(reached, list) else reached) < 1:
        raise NotDurable(
            f"The job is accepted, but not yet {_WHERE[level]}: send the request again, with the same Idempotency-Key."
        )
