"""Async actors: Dramatiq's event loop thread, made to bear what actors do."""

import asyncio
import threading
from collections.abc import Coroutine
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

    def run_coroutine(self, coro: Coroutine[Any, Any, Any]) -> Any:  # type: ignore[override]
        """Run it to its end. Dramatiq leaves one that is interrupted after a second, while its cleanup goes on: the
        job would run again beside itself. Each interrupt cancels it, and the last one is the outcome.
        """
        if not self.is_alive():
            raise RuntimeError("The event loop has ended.")
        run = _Run(coro)
        interrupt: Interrupt | None = None
        wanted = run.begin
        while True:
            try:  # an interrupt can arrive in each of these calls, also when the loop knows already what is wanted
                self.loop.call_soon_threadsafe(wanted)
                while not run.ended.is_set() and self.is_alive():
                    run.ended.wait(LOOK_SECONDS)
                break
            except Interrupt as error:
                interrupt, wanted = error, run.cancel
        try:
            if interrupt is not None:
                raise interrupt
            return run.result()
        finally:
            del run, interrupt  # an exception in them refers to this frame


class _Run:
    """One coroutine; it begins and is cancelled on the loop's thread."""

    def __init__(self, coro: Coroutine[Any, Any, Any]) -> None:
        self._coro = coro
        self._task: asyncio.Task[Any] | None = None
        self.ended = threading.Event()

    def begin(self) -> None:
        async def awaited() -> Any:
            return await self._coro

        self._task = asyncio.get_running_loop().create_task(awaited())
        self._task.add_done_callback(lambda _: self.ended.set())

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        else:  # the interrupt came before the loop knew of it
            self._coro.close()
            self.ended.set()

    def result(self) -> Any:
        if self._task is None or not self._task.done():
            raise RuntimeError("The event loop has ended.")
        return self._task.result()
