"""A server of HTTP that lets each request wait, however many there are."""

import asyncio
import threading
from types import TracebackType
from typing import Self

BACKLOG = 2048


class SlowSite:
    """Answers after ``seconds``; on an event loop in a thread, until the end of the ``with``.

    Attributes:
        url: of any page.
        most: how many requests have waited at the same time.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.most = self._waiting = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        listening = asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=BACKLOG)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self._waiting += 1
        self.most = max(self.most, self._waiting)
        await asyncio.sleep(self._seconds)
        self._waiting -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()
