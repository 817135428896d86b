"""The same of ``worker-service web`` as it runs in production: granian, on a port, with the built-in actors."""

import secrets
from pathlib import Path

import httpx2
import pytest
import schemathesis

from tests.openapi.fuzzing import configured, failures_of, labels
from tests.up.service import RunningService
from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer


@pytest.mark.soak
def test_all_answers_are_those_of_the_document(tmp_path: Path, server: EmbeddedServer):
    key = secrets.token_hex(16)
    running = RunningService(
        tmp_path,
        arguments=("web",),
        JOBS_REDIS_URL=server.url,
        JOBS_NAMESPACE="fuzzed",
        JOBS_ACTOR_MODULES="",
        JOBS_ADMIN_KEY=key,
    )
    try:
        wait_until(lambda: _answers(running.http), timeout=30, message="web does not answer")
        schema = schemathesis.openapi.from_url(
            f"http://127.0.0.1:{running.port}/openapi.json",
            config=configured(key, examples=100, in_process=False),
            headers={"Authorization": f"Bearer {key}"},
        )
        failures, asked = failures_of(schema)
        assert failures == []
        assert labels(schema) - asked == set()
        assert key not in running.output()
    finally:
        running.close()


def _answers(client: httpx2.Client) -> bool:
    try:
        return bool(client.get("/readyz").status_code == 200)
    except httpx2.TransportError:
        return False
