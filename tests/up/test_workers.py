"""``worker-service worker``: processes that do not take each other along."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    wait_until(lambda: "Worker processes that are ready: 2." in workers.output(), timeout=20)
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


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"JOBS_WORKER_MAX_JOBS": "40"}, "has done"),
        ({"JOBS_WORKER_MAX_AGE_MS": "3000"}, "s old"),
        ({"JOBS_WORKER_MAX_MEMORY_MB": "20"}, "MiB; it finishes"),
    ],
)
def test_processes_that_did_their_share_are_replaced_one_at_a_time_and_no_job_notices(
    broker: JobBroker,
    redis_url: str,
    namespace: str,
    tmp_path: Path,
    limit: dict[str, Any],
    reason: str,
):
    running = RunningService(
        tmp_path,
        arguments=["worker", "-p", "2"],
        JOBS_REDIS_URL=redis_url,
        JOBS_NAMESPACE=namespace,
        **limit,
    )
    ids: list[str] = []

    def submit_until_replaced() -> bool:
        ids.extend(add(broker, 10))
        return broker.reads.sessions_opened() >= 5

    try:
        wait_until(submit_until_replaced, timeout=40, message="they are not replaced")
        wait_until(lambda: all(broker.reads.state(id) is State.SUCCEEDED for id in ids), timeout=20)
        jobs = [job for id in ids if (job := broker.reads.job(id)) is not None]
        assert {job.crashes for job in jobs} == {0}
        outcomes = {each.outcome for job in jobs for each in job.deliveries}
        assert outcomes <= {
            "complete",
            "hand_back",
        }  # what was fetched and had not started goes to another one
        lines = [line for line in running.output().splitlines() if "finishes what it holds" in line]
        assert [line for line in lines if reason not in line] == []
    finally:
        running.close()


def add(broker: JobBroker, count: int) -> list[str]:
    messages: list[dramatiq.Message[object]] = [
        dramatiq.Message("default", "add", (), {"x": 1, "y": number}, {}) for number in range(count)
    ]
    broker.store.submit([NewJob(each.message_id, "default", "add", encode(each)) for each in messages])
    return [each.message_id for each in messages]
