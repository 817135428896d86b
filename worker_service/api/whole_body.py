"""The bytes of a request's body, in bounded memory and by a bounded number of threads.

A thread that reads waits for its client. So that slow ones do not take all threads, few read at a time; so that large
ones do not take all memory, they share a room. Who finds neither is answered with 503, and may come again.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from flask import Request
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    RequestEntityTooLarge,
    RequestTimeout,
    ServiceUnavailable,
)

READERS = 16
PATIENCE_SECONDS = 0.25
"""How long to wait for one of them to end; who sends what is there already is through within a millisecond."""
SECONDS = 60.0
"""How long a body may be on its way."""
ROOM = 64 * 1024 * 1024
BLOCK = 16 * 1024
DISCARDED = 32 * 1024 * 1024
"""Up to which a body that is too large is read to its end, without keeping it."""
RETRY_AFTER_SECONDS = 2

_KEPT = "worker_service.body"
_readers = threading.BoundedSemaphore(READERS)
_room_lock = threading.Lock()
_room = ROOM


@contextmanager
def whole_body(request: Request, limit: int) -> Iterator[bytes]:
    """The body, which may be asked for again; its place in the room is free when the block ends.

    Args:
        limit: most bytes that it may have.

    Raises:
        RequestEntityTooLarge: it has more.
        RequestTimeout: it comes too slowly.
        ServiceUnavailable: too many come slowly, or too many large ones at once.
        ClientDisconnected: it ends before it should.
    """
    kept: bytes | HTTPException | None = request.environ.get(_KEPT)
    if isinstance(kept, HTTPException):  # only a part of it was read
        raise kept
    if kept is not None:
        yield kept
        return
    length = request.content_length
    if length is not None and length <= BLOCK:
        yield _small(request, length)
        return
    taken = 0
    try:
        try:
            with _reading():
                blocks: list[bytes] = []
                for block in _blocks(request, limit):
                    if blocks:  # what is small has a place of its own
                        _take(len(block))
                        taken += len(block)
                    blocks.append(block)
        except HTTPException as error:
            request.environ[_KEPT] = error
            raise
        body = request.environ[_KEPT] = b"".join(blocks)
        yield body
    finally:
        if taken:
            _take(-taken)


def _small(request: Request, length: int) -> bytes:
    """The same for what is read at once and needs no room; most requests are small, and this costs them less."""
    if not _readers.acquire(timeout=PATIENCE_SECONDS):
        raise _too_many_slow()
    try:
        body: bytes = request.environ["wsgi.input"].read(length) if length else b""
    finally:
        _readers.release()
    if len(body) < length:
        raise ClientDisconnected
    request.environ[_KEPT] = body
    return body


def _blocks(request: Request, limit: int) -> Iterator[bytes]:
    stream = request.environ["wsgi.input"]
    length = request.content_length
    if length is not None and length > limit:
        _discard(stream, length)
        raise _too_large(limit)
    if length is None and not request.environ.get("wsgi.input_terminated"):
        return
    left = limit + 1 if length is None else length
    give_up_at = time.monotonic() + SECONDS
    while left > 0:
        block: bytes = stream.read(min(BLOCK, left))
        if not block:
            if length is not None:
                raise ClientDisconnected
            return
        yield block
        left -= len(block)
        if time.monotonic() > give_up_at:
            raise RequestTimeout(f"The body did not come within {SECONDS:.0f} s.")
    if length is None:
        raise _too_large(limit)


def _discard(stream: IO[bytes], length: int) -> None:
    """Read what is too large but not much so: a client that is still sending would not hear the answer otherwise."""
    left = length if length <= DISCARDED else 0
    give_up_at = time.monotonic() + SECONDS
    while left > 0 and time.monotonic() < give_up_at and (block := stream.read(min(BLOCK, left))):
        left -= len(block)


@contextmanager
def _reading() -> Iterator[None]:
    if not _readers.acquire(timeout=PATIENCE_SECONDS):
        raise _too_many_slow()
    try:
        yield
    finally:
        _readers.release()


def _take(size: int) -> None:
    global _room  # noqa: PLW0603 - it is the process that has one
    with _room_lock:
        if size > _room:
            raise _busy("Many other large requests are being received.")
        _room -= size


def _too_large(limit: int) -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"The body has more than {limit} bytes.")


def _too_many_slow() -> ServiceUnavailable:
    return _busy("Many other requests are being received slowly.")


def _busy(why: str) -> ServiceUnavailable:
    return ServiceUnavailable(f"{why} Send it again.", retry_after=RETRY_AFTER_SECONDS)
