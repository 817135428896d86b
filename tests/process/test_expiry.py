"""Deadlines, with real workers: who started in time runs again, and who is not started ends, claimed or not."""

import time
from collections.abc import Callable

import pytest

from tests.process.workers import Service
from tests.waiting import wait_until
from worker_service.jobs.states import State


@pytest.mark.parametrize(
    "actor", ["wait_async", "hold"]
)  # interrupted at the stop | blocked until it is left behind
def test_a_job_that_was_handed_back_at_a_stop_runs_again_after_its_deadline(
    make_service: Callable[..., Service], actor: str
) -> None:
    service = make_service(shutdown_grace_ms=200)
    [id] = service.submit(actor, "job", 6.0, expires_in_ms=4_000)
    first = service.worker()
    wait_until(lambda: service.effects("start")["job"] == 1)
    first.terminate()
    first.wait()
    deadline = service.store.client.hget(service.store.keys.job(id), "expires_at")
    wait_until(lambda: time.time() * 1000 > int(deadline or 0))

    service.worker()

    wait_until(lambda: service.reads.state(id) is State.SUCCEEDED, timeout=20)
    job = service.reads.job(id)
    assert job is not None
    assert [(each.outcome, each.charged) for each in job.deliveries] == [
        ("hand_back", False),
        ("complete", True),
    ][-len(job.deliveries) :]
    assert service.effects("start")["job"] == 2


@pytest.mark.bound
def test_a_job_that_nobody_claims_expires_within_five_seconds_of_its_deadline(service: Service) -> None:
    service.store.pause("default", "", int(time.time() * 1000))
    jobs = service.submit("quick", "paused", expires_in_ms=500)
    jobs += service.submit("quick", "late", expires_in_ms=500, delay_ms=400)
    service.worker(more=["-Q", "service"]).pid("keeper")
    jobs += service.submit("quick", "unheard", expires_in_ms=500)

    wait_until(lambda: {service.reads.state(id) for id in jobs} == {State.EXPIRED}, timeout=10)

    for job in (service.reads.job(id) for id in jobs[-1:]):  # the others' worker was still starting
        assert job is not None
        assert job.finished_at_ms is not None
        assert job.expires_at_ms is not None
        assert job.finished_at_ms - job.expires_at_ms < 5_000
    assert not service.effects("end")
