"""``worker-service web`` as it runs in production: granian, on a port."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.up.service import RunningService
from tests.waiting import wait_until
from worker_service.api.body import BODY_LIMIT
from worker_service.embedded import EmbeddedServer

JSON = {"Content-Type": "application/json"}


pytestmark = pytest.mark.xdist_group("one web process for all of them")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, server: EmbeddedServer) -> Iterator[httpx2.Client]:
    """Asks a running web process."""
    running = RunningService(
        tmp_path_factory.mktemp("web"),
        arguments=("web",),
        JOBS_REDIS_URL=server.url,
        JOBS_NAMESPACE="over-tcp",
        JOBS_ACTOR_MODULES="",
    )
    try:
        wait_until(lambda: _answers(running.http), timeout=20, message="web does not answer")
        yield running.http
    finally:
        running.close()


def test_job_is_accepted_and_read_back(web: httpx2.Client):
    answer = web.post("/v1/jobs", json={"actor": "add", "args": {"x": 1, "y": 2}})
    assert answer.status_code == 202
    assert web.get(answer.headers["Location"]).json()["args"] == {"x": 1, "y": 2}


@pytest.mark.parametrize("chunked", [False, True])
def test_body_of_the_limit_is_read(web: httpx2.Client, chunked: bool):
    job = b'{"actor": "add", "args": {"x": 1, "y": 2}}'
    body = job + b" " * (BODY_LIMIT - len(job))
    content = iter([body[:100], body[100:]]) if chunked else body
    assert web.post("/v1/jobs", content=content, headers=JSON).status_code == 202


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_is_413_and_the_connection_still_serves(web: httpx2.Client, chunked: bool):
    job = b'{"actor": "add", "args": {"x": 1, "y": 2}}'
    body = job + b" " * (BODY_LIMIT + 1 - len(job))
    content = iter([body[:100], body[100:]]) if chunked else body
    answer = web.post("/v1/jobs", content=content, headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:worker-service:problem:request-entity-too-large"
    assert web.get("/livez").status_code == 200


def test_chunked_body_is_read(web: httpx2.Client):
    body = json.dumps({"actor": "add", "args": {"x": 1, "y": 2}}).encode()
    assert web.post("/v1/jobs", content=iter([body[:5], body[5:]]), headers=JSON).status_code == 202


def test_request_id_goes_in_and_out(web: httpx2.Client):
    assert web.get("/nope", headers={"X-Request-Id": "abc"}).headers["X-Request-Id"] == "abc"


def test_other_host_name_is_refused(web: httpx2.Client):
    assert web.get("/v1/actors", headers={"Host": "evil.example"}).status_code == 400


def test_with_a_key_web_listens_on_any_address_and_asks_for_it(tmp_path: Path, server: EmbeddedServer):
    key = secrets.token_hex(16)
    (tmp_path / "admin-key").write_text(f"{key}\n")
    running = RunningService(
        tmp_path,
        arguments=("web",),
        JOBS_REDIS_URL=server.url,
        JOBS_NAMESPACE="over-tcp",
        JOBS_ACTOR_MODULES="",
        JOBS_HTTP_HOST="0.0.0.0",
        JOBS_ADMIN_KEY_FILE=str(tmp_path / "admin-key"),
    )
    try:
        wait_until(lambda: _answers(running.http), timeout=20, message="web does not answer")
        headers = {"Host": "jobs.example.org"}
        job = {"actor": "add", "args": {"x": 1, "y": 2}}
        assert running.http.post("/v1/jobs", json=job, headers=headers).status_code == 401
        headers["Authorization"] = f"Bearer {key}"
        assert running.http.post("/v1/jobs", json=job, headers=headers).status_code == 202
        assert key not in running.output()
    finally:
        running.close()


def _answers(client: httpx2.Client) -> bool:
    try:
        return bool(client.get("/readyz").status_code == 200)
    except httpx2.TransportError:
        return False
