"""Server-sent events: how a stream begins, is kept alive, and ends.

A stream holds a thread of the server, so it has a seat (waiting.py), ends after some minutes and when the process
stops; the client then comes again by itself, as the ``retry:`` at the beginning of the stream tells it. It ends, too,
when the key that opened it is not taken any more: with the next event, or the next sign of life.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from flask import Response, request

from ..jobs.errors import StoreUnavailable
from ..store import LOST, Watch
from .principal import may_go_on
from .waiting import Waiting

MEDIA_TYPE = "text/event-stream"
STREAM_SECONDS = 300.0
HEARTBEAT_SECONDS = 15.0
RETRY_SECONDS = 1.0

Look = Callable[[set[str]], tuple[str, bool]]
"""Makes events of the words that were heard, and says whether they are the last ones."""


def event(name: str, data: Any = None, id: str | None = None) -> str:
    """One event; its data are JSON, which has no line breaks, or nothing."""
    text = "" if data is None else " " + json.dumps(data, separators=(",", ":"))
    head = "" if id is None else f"id: {id}\n"
    return f"{head}event: {name}\ndata:{text}\n\n"


def stream(
    waiting: Waiting, open_watch: Callable[[], AbstractContextManager[Watch]], look: Look, *, gap: float
) -> Response:
    """The response that tells what ``look`` sees, at the beginning and whenever something is heard.

    Args:
        waiting: where it takes its seat.
        open_watch: what is to be heard.
        look: called first with `LOST`, and outside of the request.
        gap: seconds between two looks at least; what happens meanwhile is seen by the next one.

    Raises:
        TooManyWaiting: there is no seat for it.
        StoreUnavailable: Redis is away.
    """
    if request.method == "HEAD":
        return Response(mimetype=MEDIA_TYPE)
    with ExitStack() as opened:
        opened.enter_context(waiting.seat())
        watch = opened.enter_context(open_watch())
        response = Response(_body(watch, look, gap, may_go_on()), mimetype=MEDIA_TYPE)
        response.call_on_close(opened.pop_all().close)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    return response


def _body(watch: Watch, look: Look, gap: float, is_let_in: Callable[[], bool]) -> Iterator[str]:
    ends_at = time.monotonic() + STREAM_SECONDS
    yield f"retry: {random.randint(500, 2000)}\n\n"  # not all at once after a restart
    heard, unread = {LOST}, set[str]()
    while is_let_in():
        if heard:
            try:
                text, is_last = look(heard)
                unread = set()
            except StoreUnavailable:
                text, is_last, unread = "", False, heard
            if text:
                yield text
            if is_last:
                return
        left = ends_at - time.monotonic()
        if left <= 0 or watch.is_over:
            return
        time.sleep(min(gap, left))
        heard = unread | watch.hear(min(left, RETRY_SECONDS if unread else HEARTBEAT_SECONDS))
        if not heard:
            yield ":\n\n"  # shows a proxy that the stream lives, and us whether the client does
