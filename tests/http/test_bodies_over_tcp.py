"""Large and slow bodies, sent to a web process as it runs in production: bounded memory, and others are served."""

import json
import resource
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx2
import pytest

from tests.up.service import RunningService
from tests.waiting import wait_until
from worker_service.api.batch_body import BATCH_LIMIT
from worker_service.api.whole_body import READERS, ROOM
from worker_service.embedded import EmbeddedServer

MIB = 1024 * 1024
JOB = {"actor": "add", "args": {"x": 1, "y": 2}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, server: EmbeddedServer) -> Iterator[RunningService]:
    """A running web process."""
    running = RunningService(
        tmp_path_factory.mktemp("web"),
        arguments=("web",),
        JOBS_REDIS_URL=server.url,
        JOBS_NAMESPACE="bodies-over-tcp",
        JOBS_ACTOR_MODULES="",
    )
    try:
        wait_until(lambda: _answers(running.http), timeout=20, message="web does not answer")
        yield running
    finally:
        running.close()


pytestmark = pytest.mark.xdist_group("bodies over tcp")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/jobs"),
        ("POST", "/v1/jobs:batch"),
        ("POST", "/v1/jobs/x/cancel"),
        ("POST", "/v1/jobs/x/retry"),
        ("PUT", "/v1/queues/default/limits"),
        ("PUT", "/v1/schedules/x"),
        ("DELETE", "/v1/jobs/x"),
        ("GET", "/v1/jobs"),
        ("GET", "/livez"),
        ("POST", "/login"),
        ("POST", "/nope"),
    ],
)
@pytest.mark.parametrize("chunked", [True, False])
def test_endless_body_takes_no_memory(service: RunningService, method: str, path: str, chunked: bool):
    address = service.http.base_url
    before = _resident(service)
    with socket.create_connection((address.host, address.port), timeout=5) as connection:
        frame = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {400 * MIB}"
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{frame}\r\n\r\n"
        block = b" " * MIB
        if chunked:
            block = b"%x\r\n%s\r\n" % (len(block), block)
        try:
            connection.sendall(head.encode())
            for _ in range(200):
                connection.sendall(block)
        except OSError:
            pass  # it was refused, and does not read on
        assert _resident(service) - before < 60 * MIB
    assert service.http.get("/livez").status_code == 200


def test_bodies_that_stop_do_not_keep_others_from_being_served(service: RunningService):
    with ExitStack() as stack:
        for _ in range(READERS):
            _begin(stack, service, "/v1/jobs", b'{"actor"')
        refused = wait_until(lambda: _refused(service), message="slow bodies take every thread")
        assert refused
        assert refused.json()["type"].endswith(":service-unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        assert service.http.get("/v1/jobs").status_code == 200
        assert service.http.get("/livez").status_code == 200
    wait_until(lambda: service.http.post("/v1/jobs", json=JOB).status_code == 202)


def test_slow_body_is_read_to_its_end(service: RunningService):
    body = json.dumps(JOB).encode()
    with ExitStack() as stack:
        connection = _begin(stack, service, "/v1/jobs", body[:5], length=len(body))
        for byte in body[5:]:
            connection.sendall(bytes([byte]))
            time.sleep(0.001)
        assert connection.recv(100).startswith(b"HTTP/1.1 202")


def test_large_bodies_share_a_room(service: RunningService):
    """Each is almost there, and the last ones find no place."""
    before = _resident(service)
    most = ROOM // BATCH_LIMIT
    with ExitStack() as stack:
        senders: list[socket.socket] = []

        def is_full() -> bool:
            # A probe takes room too: a sender that finds none then is answered, and another one takes its place.
            senders[:] = [sender for sender in senders if not select.select([sender], [], [], 0)[0]]
            while len(senders) < most:
                senders.append(_begin(stack, service, "/v1/jobs:batch", b"", length=BATCH_LIMIT))
                with suppress(ConnectionError):
                    senders[-1].sendall(b" " * (BATCH_LIMIT - 1000))
            answer = service.http.post("/v1/jobs:batch", content=_batch(12), headers=_JSON)
            return bool(answer.status_code == 503)

        wait_until(is_full, timeout=30, message="large bodies find room without end")
        assert service.http.post("/v1/jobs", json=JOB).status_code == 202  # what is small finds its own
        assert _resident(service) - before < 2 * ROOM
    wait_until(
        lambda: service.http.post("/v1/jobs:batch", content=_batch(12), headers=_JSON).status_code == 200
    )


def test_large_batch_is_accepted(service: RunningService):
    answer = service.http.post("/v1/jobs:batch", json=[JOB] * 5000, timeout=60)
    assert [item["status"] for item in answer.json()["items"]] == [202] * 5000


def test_lines_say_how_many_they_are_for_each_is_whole_by_itself(service: RunningService):
    lines = [json.dumps(JOB).encode() + b"\n"] * 100
    headers = {"Content-Type": "application/x-ndjson"}
    assert service.http.post("/v1/jobs:batch", content=iter(lines), headers=headers).status_code == 411
    answer = service.http.post("/v1/jobs:batch", content=b"".join(lines), headers=headers)
    assert len(answer.json()["items"]) == 100


_JSON = {"Content-Type": "application/json"}


def _batch(mebibytes: int) -> bytes:
    return b"[" + b" " * (mebibytes * MIB) + b"]"


def _begin(
    stack: ExitStack, service: RunningService, path: str, begin: bytes, *, length: int = 1000
) -> socket.socket:
    """A request whose body is not whole yet."""
    address = service.http.base_url
    connection = stack.enter_context(socket.create_connection((address.host, address.port), timeout=20))
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    connection.sendall(head.encode() + begin)
    return connection


def _refused(service: RunningService) -> httpx2.Response | None:
    answer = service.http.post("/v1/jobs", json=JOB)
    return answer if answer.status_code == 503 else None


def _resident(service: RunningService) -> int:
    """Bytes of memory that the web process and its children hold."""
    pages = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in service.processes()]
    return sum(map(int, pages)) * resource.getpagesize()


def _answers(client: httpx2.Client) -> bool:
    try:
        return bool(client.get("/readyz").status_code == 200)
    except httpx2.TransportError:
        return False
