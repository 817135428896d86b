"""The server's clock, as far as this process knows it: what is due when is the server's to say, not a machine's."""

from datetime import UTC, datetime, timedelta
from time import monotonic


class Clock:
    """Goes on by itself between two settings."""

    def __init__(self) -> None:
        self._server_ms, self._at = 0.0, monotonic()

    def set(self, server_ms: int, asked_at: float) -> None:
        """The server has told its clock.

        Args:
            server_ms: what it said, in UTC ms.
            asked_at: when it was asked, by `monotonic`; the reply came now.
        """
        now = monotonic()
        self._server_ms, self._at = float(server_ms), (asked_at + now) / 2

    def now_ms(self) -> int:
        """The server's clock now, in UTC ms."""
        return int(self._server_ms + (monotonic() - self._at) * 1000)

    def here(self, server_ms: int) -> datetime:
        """When it is this late on the server, by the clock of this machine."""
        return datetime.now(UTC) + timedelta(milliseconds=server_ms - self.now_ms())
