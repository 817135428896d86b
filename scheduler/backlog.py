"""The ticks of one schedule that have come and are still to be fired: a range, however many they are.

Where it begins: a schedule that was fired before goes on with the newest tick, so that of those missed while no
scheduler ran one is fired, once; a schedule that was never fired begins with the next one. "Newest" is
by the server's clock at the moment this scheduler started, so that a clock that is ahead jumps over nothing.

Where it ends: at the newest tick that the timer told. While the server is away the range grows, and all of it is
fired in order once the server is back; only beyond `KEPT_TICKS` do the oldest give way.

A process that was held up (stopped, suspended) for longer than `HELD_UP_MS` begins anew, as if it had just
started: an hour without a schedule of 100 ms makes one job, not 36,000.
"""

from worker_service.jobs.intervals import tick_before

KEPT_TICKS = 1000
HELD_UP_MS = 10_000


class Backlog:
    """Not safe for threads; see `Firing`.

    Args:
        every_ms: the interval of its schedule.
        now: seconds of a monotonic clock, as everywhere below.
    """

    def __init__(self, every_ms: int, now: float) -> None:
        self._every_ms = every_ms
        self._newest: int | None = None
        self._next: int | None = None
        self._since = now

    @property
    def newest(self) -> int | None:
        """The newest tick the timer told; None before the first."""
        return self._newest

    @property
    def has_begun(self) -> bool:
        """Whether it is known where it begins."""
        return self._next is not None

    def first_tick(self, server_ms: int, now: float) -> int:
        """The newest tick when this scheduler started, or was held up, by the clock of the server now."""
        return tick_before(server_ms - int((now - self._since) * 1000), self._every_ms)

    def begin(self, tick_ms: int) -> None:
        """Fire this tick and those after it, once they have come."""
        self._next = tick_ms

    def tell(self, tick_ms: int, now: float) -> None:
        """A tick has come."""
        if self._newest is not None and tick_ms - self._newest > self._every_ms + HELD_UP_MS:
            self._next, self._since = None, now
        self._newest = tick_ms

    def head(self) -> int | None:
        """The tick to fire now; None when none has come."""
        if self._next is None or self._newest is None or self._next > self._newest:
            return None
        return max(self._next, self._newest - (KEPT_TICKS - 1) * self._every_ms)

    def fired(self, tick_ms: int) -> int:
        """This tick was fired; returns how many before it were given up."""
        if self._next is None or self._next > tick_ms:
            return 0  # it began anew while the tick was under way
        given_up = (tick_ms - self._next) // self._every_ms
        self._next = tick_ms + self._every_ms
        return given_up
