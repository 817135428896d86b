"""Async actors: Dramatiq's event loop thread, made a daemon so that a second SIGTERM ends the process at once."""

from typing import Any

from dramatiq.asyncio import EventLoopThread, set_event_loop_thread
from dramatiq.middleware import AsyncIO as DramatiqAsyncIO


class AsyncIO(DramatiqAsyncIO):
    """Takes the place of Dramatiq's middleware of this name."""

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        """Start the event loop."""
        thread = EventLoopThread(self.logger)
        thread.daemon = True
        thread.start(timeout=1.0)
        set_event_loop_thread(thread)
