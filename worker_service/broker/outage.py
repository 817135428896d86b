"""What a part of a worker process says of Redis while it is away."""

import logging
from time import monotonic

SAY_AGAIN_SECONDS = 60.0


class Outage:
    """Says when it begins, once a minute while it lasts, and when it is over: a log that is full of it hides the rest.

    Args:
        what: waits meanwhile, as in "Claiming".
    """

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self._logger, self._what = logger, what
        self._since: float | None = None
        self._say_at = 0.0

    def goes_on(self, error: Exception) -> None:
        """Redis did not answer."""
        now = monotonic()
        if self._since is None:
            self._since = self._say_at = now
        if now >= self._say_at:
            self._logger.warning("%s waits: %s", self._what, error)
            self._say_at = now + SAY_AGAIN_SECONDS

    def ends(self) -> None:
        """Redis answered."""
        if self._since is not None:
            self._logger.info("%s goes on after %.1f s.", self._what, monotonic() - self._since)
            self._since = None
