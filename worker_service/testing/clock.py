"""The clock of simulated jobs, which stands still until it is moved."""

from datetime import UTC, datetime, timedelta


class Clock:
    """It begins with the time of day, in whole milliseconds. What an actor asks for by itself (``datetime.now()``) is
    not changed.
    """

    def __init__(self) -> None:
        self.now_ms = int(datetime.now(UTC).timestamp() * 1000)

    @property
    def now(self) -> datetime:
        """In UTC."""
        return datetime.fromtimestamp(self.now_ms / 1000, UTC)

    def advance(self, delta: timedelta | None = None, **parts: float) -> None:
        """Move it forward. Nothing runs by that: see `Jobs.run_due`.

        Args:
            delta: how far; or
            parts: of a timedelta, as in ``advance(minutes=5)``.

        Raises:
            ValueError: that would be backward.
        """
        delta = delta if delta is not None else timedelta(**parts)
        if delta < timedelta():
            raise ValueError(f"{delta}: a clock goes forward")
        self.now_ms += round(delta.total_seconds() * 1000)
