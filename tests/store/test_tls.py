"""Servers and sentinels that are reached over TLS only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mail_host import CERTIFICATE
from tests.process.sentinels import Sentinels
from tests.store.builders import a_job, words
from tests.up.service import RunningService, free_port
from worker_service.embedded import EmbeddedServer, EmbeddedServerError
from worker_service.jobs.errors import StoreUnavailable
from worker_service.store import Store, check_server, connect


@pytest.fixture(scope="module")
def tls_port(server_binary: str | None) -> Iterator[int]:
    """The port of such a server."""
    port = free_port()
    files = {"tls-cert-file": str(CERTIFICATE), "tls-key-file": str(CERTIFICATE)}
    extra = {"tls-port": str(port), "tls-auth-clients": "no", **files}
    server = EmbeddedServer(binary=server_binary, extra=extra)
    try:
        server.start()
    except EmbeddedServerError:
        pytest.skip("this server was built without TLS; Debian's redis-server has it (make test-redis)")
    yield port
    server.stop()


def test_certificate_is_looked_at(tls_port: int, namespace: str):
    url = f"rediss://localhost:{tls_port}/0?ssl_ca_certs={CERTIFICATE}"
    check_server(url)
    with connect(url) as client:
        assert words(Store(client, namespace).submit([a_job("one")])) == ["created"]
    with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        check_server(f"rediss://localhost:{tls_port}/0")


def test_plain_text_is_refused(tls_port: int):
    with pytest.raises(StoreUnavailable):
        check_server(f"redis://localhost:{tls_port}/0")


@pytest.mark.process
@pytest.mark.usefixtures("tls_port")
def test_service_behind_sentinels_speaks_it_to_all_of_them(server_binary: str | None, tmp_path: Path):
    sentinels = Sentinels(server_binary, CERTIFICATE)
    service = RunningService(tmp_path, JOBS_REDIS_URL=sentinels.url, JOBS_ACTOR_MODULES="")
    try:
        service.wait_until_ready()
        job = {"actor": "add", "args": {"x": 1, "y": 1}, "delay_ms": 200}
        answer = service.http.post("/v1/jobs", json=job, headers={"Prefer": "wait=10"})
        assert answer.json()["state"] == "succeeded"
    finally:
        service.close()
        sentinels.close()
