"""The server dies under load and comes back; workers go on by themselves."""

import time

import pytest

from tests.process.workers import Service
from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.states import State


def test_workers_go_on_after_the_server_was_killed_and_restarted(
    own_server: EmbeddedServer, on_own_server: Service
) -> None:
    service = on_own_server
    ids = service.submit("hold", "job{i}", 0.02, count=1500)
    worker = service.worker()
    wait_until(lambda: service.in_state("succeeded") > 100)
    pid = worker.pid("worker")

    own_server.kill()
    own_server.start()

    wait_until(lambda: service.in_state("succeeded") == 1500, timeout=40)
    assert worker.pid("worker") == pid
    jobs = [job for id in ids if (job := service.reads.job(id))]
    assert {job.attempts for job in jobs} == {0}
    assert {job.crashes for job in jobs} == {0}
    assert set(service.effects("end").values()) == {1}


@pytest.mark.soak
def test_an_outage_longer_than_the_lease_rescues_nobody(
    own_server: EmbeddedServer, on_own_server: Service
) -> None:
    service = on_own_server
    [id] = service.submit("hold", "job", 8.0)
    service.worker()
    wait_until(lambda: service.effects("start")["job"] == 1)
    job = service.reads.job(id)
    assert job is not None
    assert job.started_at_ms is not None

    own_server.kill()
    # The outage itself: longer than the lease of 3 s, measured on the effect that the job will leave.
    started = service.times("start", "job")[0]
    wait_until(lambda: time.time() - started > 5.0)
    own_server.start()

    wait_until(lambda: service.reads.state(id) == State.SUCCEEDED, timeout=20)
    assert service.effects("start")["job"] == 1
    job = service.reads.job(id)
    assert job is not None
    assert job.crashes == 0


def test_a_worker_may_start_before_its_server(own_server: EmbeddedServer, on_own_server: Service) -> None:
    service = on_own_server
    [id] = service.submit("hold", "job", 0.0)
    own_server.kill()
    worker = service.worker()
    wait_until(lambda: b"Claiming waits" in worker.log.read_bytes())

    own_server.start()

    wait_until(lambda: service.reads.state(id) == State.SUCCEEDED, timeout=20)
