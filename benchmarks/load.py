"""Sends POST requests over kept connections from one thread, cheaply enough to keep a web process busy.

    python -m benchmarks.load PORT flood COUNT CONNECTIONS BODY     # as fast as they are answered
    python -m benchmarks.load PORT steady COUNT PER_SECOND BODY     # at a rate, whatever the answers take
    python -m benchmarks.load PORT batches COUNT SIZE BODY          # SIZE jobs in each, one batch after the other
    python -m benchmarks.load PORT streams COUNT 0 -                # opens event streams until its stdin ends

Each request has an Idempotency-Key of its own. Prints what it measured as one line of JSON. A request of the steady
kind is late from the instant at which it was due, so a web process that stands still is not left out of the figures.
"""

import itertools
import json
import os
import selectors
import socket
import sys
import time
from collections.abc import Iterator

LONGEST_SECONDS = 120.0


class Connection:
    """One kept connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._answer = b""

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at an instant."""
        self.due = due
        self.socket.sendall(request)

    def received(self) -> int | None:
        """Read on; the status of the answer once it is whole."""
        self._answer += self.socket.recv(1 << 20)
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        if len(body) < length:
            return None
        self._answer = b""
        return int(head.split(b" ", 2)[1])


def requests(path: str, body: bytes) -> Iterator[bytes]:
    """The same request again and again, each time under a new key."""
    about = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    for number in itertools.count():
        key = f"Idempotency-Key: {os.getpid()}-{number}\r\n\r\n"
        yield f"POST {path} HTTP/1.1\r\n{about}{key}".encode() + body


def flood(port: int, count: int, connections: int, path: str, body: bytes) -> dict[str, object]:
    """Each connection sends its next request as soon as the last one is answered."""
    source, left = requests(path, body), count
    with selectors.DefaultSelector() as selector:
        begin = time.perf_counter()
        for _ in range(min(connections, count)):
            connection = Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(source), time.perf_counter())
            left -= 1
        lateness: list[float] = []
        while len(lateness) < count:
            for key, _ in _ready(selector):
                if (status := key.data.received()) is None:
                    continue
                _check(status)
                now = time.perf_counter()
                lateness.append(now - key.data.due)
                if left:
                    left -= 1
                    key.data.send(next(source), now)
        seconds = time.perf_counter() - begin
    return {"seconds": seconds, "per_second": count / seconds, "ms": _milliseconds(lateness)}


def steady(port: int, count: int, per_second: int, path: str, body: bytes) -> dict[str, object]:
    """A request every so often, over whichever connection is free."""
    source, free, sent = requests(path, body), [Connection(port) for _ in range(32)], 0
    lateness: list[float] = []
    with selectors.DefaultSelector() as selector:
        for connection in free:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        begin = time.perf_counter() + 0.1
        while len(lateness) < count:
            due = begin + sent / per_second
            if sent < count and free and time.perf_counter() >= due:
                free.pop().send(next(source), due)
                sent += 1
                continue
            pause = max(0.0, due - time.perf_counter()) if sent < count and free else None
            for key, _ in selector.select(pause):
                if (status := key.data.received()) is not None:
                    _check(status)
                    lateness.append(time.perf_counter() - key.data.due)
                    free.append(key.data)
    return {"ms": _milliseconds(lateness)}


def batches(port: int, count: int, size: int, path: str, body: bytes) -> dict[str, object]:
    """Batches of the same job, one after the other."""
    whole = b"[" + b",".join([body] * size) + b"]"
    found = flood(port, count, 1, f"{path}:batch", whole)
    return {**found, "per_second": count * size / float(str(found["seconds"]))}


def streams(port: int, count: int) -> dict[str, object]:
    """Open streams of events, and keep them until stdin ends."""
    found = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        found.append(connection)
    for connection in found:
        _check(int(connection.recv(4096).split(b" ", 2)[1]))
    print(json.dumps({"open": len(found)}), flush=True)
    sys.stdin.read()
    return {}


def _ready(selector: selectors.BaseSelector) -> "list[tuple[selectors.SelectorKey, int]]":
    found = selector.select(LONGEST_SECONDS)
    if not found:
        raise TimeoutError(f"no answer within {LONGEST_SECONDS:g} s")
    return found


def _check(status: int) -> None:
    if status not in (200, 202):
        raise RuntimeError(f"answered with {status}")


def _milliseconds(seconds: list[float]) -> list[float]:
    return [round(each * 1000, 3) for each in seconds]


def main() -> None:
    """What the command line says."""
    port, task, count, number, body = sys.argv[1:]
    if task == "streams":
        streams(int(port), int(count))
        return
    run = {"flood": flood, "steady": steady, "batches": batches}[task]
    print(json.dumps(run(int(port), int(count), int(number), "/v1/jobs", body.encode())))


if __name__ == "__main__":
    main()
