"""Requests that wait, at the real server."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.up.service import RunningService
from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer
from worker_service.store import connect
from worker_service.store.keys import Keys

LATER = {"actor": "add", "args": {"x": 1, "y": 2}, "delay_ms": 3_600_000}

Start = Callable[..., RunningService]


@pytest.fixture
def web(tmp_path: Path, server: EmbeddedServer, namespace: str) -> Iterator[Start]:
    """Starts web processes."""
    running: list[RunningService] = []

    def start(**settings: Any) -> RunningService:
        running.append(
            RunningService(
                tmp_path,
                arguments=("web",),
                JOBS_REDIS_URL=server.url,
                JOBS_NAMESPACE=namespace,
                JOBS_ACTOR_MODULES="",
                **settings,
            )
        )
        wait_until(running[-1].is_ready, timeout=20, message="web does not answer")
        return running[-1]

    yield start
    for each in running:
        each.close()


class Client:
    """One connection that has sent one request, and reads what it needs of the answer."""

    def __init__(self, port: int, path: str, *headers: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        head = "\r\n".join((f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers))
        self._socket.sendall(f"{head}\r\n\r\n".encode())
        self.text = b""

    def read_until(self, part: bytes) -> None:
        while part not in self.text:
            some = self._socket.recv(65536)
            assert some, self.text
            self.text += some

    def status(self) -> int:
        self.read_until(b"\r\n\r\n")
        return int(self.text.split()[1])

    def read_to_end(self) -> bytes:
        while some := self._socket.recv(65536):
            self.text += some
        self.close()
        return self.text

    def close(self) -> None:
        self._socket.close()


def posted(service: RunningService) -> str:
    return str(service.http.post("/v1/jobs", json=LATER).headers["Location"])


def test_two_hundred_wait_or_stream_and_others_are_answered(web: Start):
    service = web()
    path = posted(service)
    streams = [Client(service.port, f"{path}/events") for _ in range(70)]
    streams += [Client(service.port, "/v1/events") for _ in range(60)]
    assert {client.status() for client in streams} == {200}
    waiting = [Client(service.port, path, "Prefer: wait=60") for _ in range(70)]

    for _ in range(20):
        assert service.http.post("/v1/jobs", json=LATER, timeout=5).status_code == 202
    assert service.http.post(f"{path}/cancel").json()["state"] == "cancelled"

    for client in streams[:70]:
        client.read_until(b"event: done")
    for client in waiting:
        assert client.status() == 200
        answer = client.read_to_end()
        assert b'"state":"cancelled"' in answer
        assert b"preference-applied: wait=60" in answer.lower()
    for client in streams:
        client.close()


def test_who_is_one_too_many_is_answered_at_once(web: Start):
    service = web(JOBS_HTTP_THREADS="16")
    path = posted(service)
    streams = [Client(service.port, f"{path}/events") for _ in range(8)]
    assert {client.status() for client in streams} == {200}

    refused = service.http.get("/v1/events")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    answer = service.http.get(path, headers={"Prefer": "wait=60"})
    assert (answer.status_code, "Preference-Applied" in answer.headers) == (200, False)

    for client in streams:
        client.close()


def test_a_stream_whose_client_has_gone_gives_its_seat_back(web: Start):
    service = web(JOBS_HTTP_THREADS="16")
    path = posted(service)
    for _ in range(8):
        client = Client(service.port, f"{path}/events")
        assert client.status() == 200
        client.close()

    def has_a_seat() -> bool:
        with service.http.stream("GET", "/v1/events") as answer:
            return bool(answer.status_code == 200)

    wait_until(has_a_seat, timeout=30, message="no seat came back")


def test_a_stop_ends_streams_and_answers_who_waits(web: Start, server: EmbeddedServer, namespace: str):
    service = web()
    path, awaited = posted(service), posted(service)
    channel = Keys(namespace).event(awaited.rpartition("/")[2])
    streams = [Client(service.port, f"{path}/events"), Client(service.port, "/v1/events")]
    assert {client.status() for client in streams} == {200}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            httpx2.get, f"{service.http.base_url}{awaited}", headers={"Prefer": "wait=60"}, timeout=30
        )
        with connect(server.url) as redis:
            wait_until(lambda: redis.pubsub_numsub(channel)[0][1], message="nobody waits")
        stopped_at = time.monotonic()

        service.main.terminate()

        answer = waiting.result()
        assert (answer.status_code, "Preference-Applied" in answer.headers) == (200, False)
        for client in streams:
            assert client.read_to_end().endswith(b"0\r\n\r\n")  # the whole answer, not a broken connection
        service.main.wait(5)
        assert time.monotonic() - stopped_at < 5
