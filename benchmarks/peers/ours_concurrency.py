"""The actors of concurrency.py: one waits for an answer, as a function and as a coroutine, one computes."""

import asyncio
import os
from http.client import HTTPConnection

from worker_service import actor

SITE_PORT = int(os.environ.get("BENCH_SITE_PORT", "0"))


@actor
def ask() -> None:
    """Wait for an answer, as libraries that block do."""
    connection = HTTPConnection("127.0.0.1", SITE_PORT, timeout=30)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    finally:
        connection.close()


@actor
async def ask_async() -> None:
    """Wait for the same answer on the event loop of the process."""
    reader, writer = await asyncio.open_connection("127.0.0.1", SITE_PORT)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        await reader.read()
    finally:
        writer.close()


@actor
def compute(steps: int) -> int:
    """Python code that waits for nothing; about 10 ms for 100,000 steps."""
    found = 0
    for number in range(steps):
        found = (found * 31 + number) % 1_000_003
    return found
