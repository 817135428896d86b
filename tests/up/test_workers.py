"""``worker-service worker``: processes that do not take each other along."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import dramatiq
import pytest

from tests.up.service import RunningService
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.broker.submission import encode
from worker_service.jobs.ids import new_job_id
from worker_service.jobs.states import State
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.store import NewJob

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="finds processes through /proc"
)


@pytest.fixture
def broker(redis_url: str, namespace: str) -> Iterator[JobBroker]:
    """Looks into the namespace of the workers."""
    made = JobBroker(Settings(redis_url=redis_url, namespace=namespace), default_middleware())
    yield made
    made.close()


@pytest.fixture
def workers(redis_url: str, namespace: str, tmp_path: Path) -> Iterator[RunningService]:
    """Two worker processes under one command."""
    running = RunningService(
        tmp_path, arguments=["worker", "-p", "2"], JOBS_REDIS_URL=redis_url, JOBS_NAMESPACE=namespace
    )
    yield running
    running.close()


def keepers(workers: RunningService) -> set[int]:
    return {pid for pid, command in workers.processes().items() if "broker.keeper" in command}


def submitted(broker: JobBroker, path: Path) -> str:
    id = new_job_id()
    message: dramatiq.Message[object] = dramatiq.Message(
        "default", "wait_for_file", (str(path),), {}, {}, message_id=id
    )
    broker.store.submit([NewJob(id, "default", "wait_for_file", encode(message))])
    return id


def test_one_that_is_killed_is_started_again_and_the_other_goes_on(
    workers: RunningService, broker: JobBroker, tmp_path: Path
):
    wait_until(lambda: len(broker.reads.sessions()) == 2, timeout=20)
    id = submitted(broker, tmp_path / "go")
    wait_until(lambda: broker.reads.state(id) is State.RUNNING)
    before = broker.reads.sessions()
    (runs,) = [session for session in before if broker.store.client.hlen(broker.store.keys.running(session))]
    (idle,) = before - {runs}
    pid = broker.store.client.hget(broker.store.keys.session(idle), "pid")
    assert pid is not None
    os.kill(int(pid), signal.SIGKILL)

    wait_until(lambda: len(broker.reads.sessions() - before) == 1, timeout=20, message="not started again")
    assert "worker-" in workers.output()
    assert "starting it again" in workers.output()
    (tmp_path / "go").touch()
    wait_until(lambda: broker.reads.state(id) is State.SUCCEEDED)
    job = broker.reads.job(id)
    assert job is not None
    assert (job.crashes, len(job.deliveries)) == (0, 1)


def test_told_to_stop_all_let_their_jobs_end(workers: RunningService, broker: JobBroker, tmp_path: Path):
    wait_until(lambda: len(broker.reads.sessions()) == 2, timeout=20)
    ids = [submitted(broker, tmp_path / "go") for _ in range(10)]
    wait_until(lambda: broker.reads.running() == 10)
    workers.main.terminate()
    wait_until(lambda: "Stopping" in workers.output())
    (tmp_path / "go").touch()
    workers.wait_until_gone()
    assert workers.main.returncode == 0
    assert {broker.reads.state(id) for id in ids} == {State.SUCCEEDED}
    assert broker.reads.sessions() == set()


def test_mistake_in_the_set_up_ends_it_with_its_reason(redis_url: str, namespace: str, tmp_path: Path):
    running = RunningService(
        tmp_path,
        arguments=["worker"],
        JOBS_REDIS_URL=redis_url,
        JOBS_NAMESPACE=namespace,
        JOBS_ACTOR_MODULES="no_such_module",
    )
    try:
        running.wait_until_gone()
        assert running.main.returncode == 1
        assert "Actor module no_such_module cannot be imported" in running.output()
    finally:
        running.close()
