"""Async actors: Dramatiq's event loop thread, made a daemon so that a second SIGTERM ends the process at once."""

from typing import Any

from dramatiq.asyncio import EventLoopThread, get_event_loop_thread, set_event_loop_thread
from dramatiq.middleware import AsyncIO as DramatiqAsyncIO


class AsyncIO(DramatiqAsyncIO):
    """Takes the place of Dramatiq's middleware of this name."""

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        """Start the event loop."""
        self._before = get_event_loop_thread()
        self._thread = EventLoopThread(self.logger)
        self._thread.daemon = True
        self._thread.start(timeout=1.0)
        set_event_loop_thread(self._thread)

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        """End it, and leave that of another worker in this process in its place."""
        self._thread.stop()
        self._thread.join()
        set_event_loop_thread(self._before)
