"""No process of an older version works on data that a newer one wrote; each says so."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.up.service import RunningService
from tests.waiting import wait_until
from worker_service.store import Store, connect
from worker_service.store.schema import SCHEMA


@pytest.fixture
def store(redis_url: str, namespace: str) -> Iterator[Store]:
    """A store that somebody may make newer."""
    with connect(redis_url) as client:
        yield Store(client, namespace)


PARTS = {
    "web": ("worker-service", "web"),
    "worker": ("worker-service", "worker"),
    "scheduler": ("python", "-m", "scheduler"),
    "up": ("worker-service", "up"),
}


def make_newer(store: Store) -> None:
    store.client.hset(store.keys.meta, "schema", str(SCHEMA + 1))


@pytest.mark.parametrize("part", list(PARTS))
def test_it_does_not_start(store: Store, redis_url: str, tmp_path: Path, part: str):
    make_newer(store)
    running = RunningService(
        tmp_path,
        command=PARTS[part][0],
        arguments=PARTS[part][1:],
        JOBS_REDIS_URL=redis_url,
        JOBS_NAMESPACE=store.namespace,
        JOBS_ACTOR_MODULES="",
    )
    try:
        assert running.main.wait(30) == 1, running.output()
        assert (
            f"has schema {SCHEMA + 1}, this version knows {SCHEMA}: run a newer version" in running.output()
        )
        assert "Traceback" not in running.output()
    finally:
        running.close()


def test_web_that_runs_already_is_sent_no_more_requests(store: Store, redis_url: str, tmp_path: Path):
    running = RunningService(
        tmp_path,
        arguments=("web",),
        JOBS_REDIS_URL=redis_url,
        JOBS_NAMESPACE=store.namespace,
        JOBS_ACTOR_MODULES="",
    )
    try:
        wait_until(running.is_ready, timeout=20)
        make_newer(store)
        answer: httpx2.Response = running.http.get("/readyz")
        assert answer.status_code == 503
        assert "run a newer version" in answer.json()["detail"]
    finally:
        running.close()
