"""Async actors: Dramatiq's event loop thread, made to bear what actors do."""

import threading
from collections.abc import Awaitable
from typing import Any

from dramatiq.asyncio import EventLoopThread, get_event_loop_thread, set_event_loop_thread
from dramatiq.middleware import AsyncIO as DramatiqAsyncIO
from dramatiq.middleware import Interrupt

LOOK_SECONDS = 0.1


class AsyncIO(DramatiqAsyncIO):
    """Takes the place of Dramatiq's middleware of this name."""

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        """Start the event loop."""
        self._before = get_event_loop_thread()
        self._thread = _EventLoop(self.logger)
        self._thread.daemon = True  # a second SIGTERM ends the process at once
        self._thread.start(timeout=1.0)
        set_event_loop_thread(self._thread)

    def after_worker_shutdown(self, broker: Any, worker: Any) -> None:
        """End it, and leave that of another worker in this process in its place."""
        self._thread.stop()  # type: ignore[no-untyped-call]
        self._thread.join()
        set_event_loop_thread(self._before)


class _EventLoop(EventLoopThread):
    def run(self) -> None:
        """A SystemExit or KeyboardInterrupt of one coroutine leaves the loop, but is kept on its task as well."""
        try:
            while True:
                try:
                    return self.loop.run_forever()
                except (SystemExit, KeyboardInterrupt):
                    self.logger.warning("A coroutine meant to end the process; only its job ends.")
        finally:
            self.loop.close()

    def run_coroutine(self, coro: Awaitable[Any]) -> Any:
        """Run it to its end. Dramatiq leaves one that is interrupted after a second, while its cleanup goes on: the
        job would run again beside itself.
        """
        done = threading.Event()

        async def watched() -> Any:
            try:
                return await coro
            finally:
                done.set()

        try:
            return super().run_coroutine(watched())
        except RuntimeError as error:
            if not isinstance(error.__cause__, Interrupt):
                raise
            while not done.wait(LOOK_SECONDS) and self.is_alive():
                pass
            raise error.__cause__ from None
