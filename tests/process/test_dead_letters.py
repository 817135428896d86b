"""Jobs die of a bug; somebody finds them, mends it, and runs all of them again with one request."""

import os
import signal
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.process.workers import Service
from tests.waiting import wait_until
from worker_service.jobs.states import State
from worker_service.store import Job
from worker_service.web import create_app

THREADS = 8


def asks(service: Service) -> FlaskClient:
    """Asks the application without a socket."""
    return create_app(service.broker, service.settings).test_client()


def pid_of_worker_of(service: Service, id: str) -> int:
    """The process that runs a job."""
    job = service.reads.job(id)
    assert job is not None
    found = service.store.client.hget(service.store.keys.session(str(job.worker)), "pid")
    return int(found or 0)


def percent(service: Service, id: str) -> int:
    """How far a bulk job is."""
    job = service.reads.job(id)
    return int(job.progress["percent"]) if job and job.progress else 0


def replay_with_a_kill(service: Service, mended: Path, jobs: int) -> Job:
    """Returns the job that put the others back; the process that ran it was killed."""
    env = {"MENDED": str(mended)}
    for _ in range(2):
        service.worker(threads=THREADS, env=env)
    ids = service.submit("pay", "job{i}", count=jobs)
    wait_until(lambda: service.in_state("dead") == jobs, timeout=60)
    client = asks(service)
    (failure,) = client.get("/v1/failures").get_json()["items"]
    assert (failure["count"], failure["error"]["frame"]) == (jobs, "work:pay")
    mended.touch()

    service.submit("quick", "load{i}", count=jobs)
    answer = client.post("/v1/jobs:retry", json={"filter": {"fingerprint": failure["fingerprint"]}})
    bulk = answer.get_json()["id"]
    service.submit("quick", "more{i}", count=jobs)
    wait_until(lambda: percent(service, bulk) >= 5, timeout=60)
    os.kill(pid_of_worker_of(service, bulk), signal.SIGKILL)
    service.worker(threads=THREADS, env=env)

    wait_until(lambda: service.reads.state(bulk) is State.SUCCEEDED, timeout=60)
    wait_until(lambda: service.in_state("succeeded") == 3 * jobs + 1, timeout=120)
    done = service.reads.job(bulk)
    assert done is not None
    assert done.result == {"matched": jobs, "done": jobs, "skipped": {}}
    assert {service.reads.state(id) for id in ids} == {State.SUCCEEDED}
    paid = service.effects("paid")
    assert set(paid) == {f"job{i}" for i in range(jobs)}
    # A kill can repeat what ran, and what had ended without being written yet: a few batches at most.
    assert set(paid.values()) <= {1, 2}
    assert sum(paid.values()) - jobs <= THREADS * 20
    assert set(service.effects("failed").values()) == {1}
    assert client.get("/v1/failures").get_json()["items"] == []
    return done


def test_six_hundred_dead_jobs_run_once_more_though_a_worker_is_killed(
    service: Service, tmp_path: Path
) -> None:
    replay_with_a_kill(service, tmp_path / "mended", 600)


@pytest.mark.soak
def test_ten_thousand_dead_jobs_run_once_more_though_the_worker_that_puts_them_back_is_killed(
    service: Service, tmp_path: Path
) -> None:
    bulk = replay_with_a_kill(service, tmp_path / "mended", 10_000)

    assert [delivery.outcome for delivery in bulk.deliveries] == ["crash", "complete"]
