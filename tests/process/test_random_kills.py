"""Workers are killed at random until a backlog is empty: nothing is lost, and only what was running is repeated."""

import random
import time
from collections.abc import Callable

import pytest

from tests.process.workers import Service
from tests.waiting import wait_until
from worker_service.store.doctor import examine

MOMENT_SECONDS = 1.0
"""Between an effect and the writing of its outcome, at most."""


def drain_with_kills(service: Service, jobs: int, between: tuple[int, int], timeout: float) -> list[float]:
    """Submit jobs and kill the worker process after every so many of them; returns the instants of the kills."""
    ids = service.submit("quick", "job{i}", count=jobs, max_crashes=100)
    kills: list[float] = []
    next_kill = random.randint(*between)

    def look() -> bool:
        nonlocal next_kill
        done = service.in_state("succeeded")
        worker = service.workers[-1]
        if jobs > done >= next_kill and worker.main.poll() is None and "worker" in worker.processes():
            worker.kill("worker") if len(kills) % 4 else worker.kill_group()
            kills.append(time.time())
            next_kill = done + random.randint(*between)
            worker.wait()
        return done == jobs

    service.supervise(look, timeout=timeout)
    assert {service.reads.state(id) for id in ids} == {"succeeded"}
    return kills


def assert_each_ran(service: Service, jobs: int, kills: list[float], threads: int = 8) -> None:
    ends = service.effects("end")
    assert set(ends) == {f"job{i}" for i in range(jobs)}
    # A kill can repeat what ran, and what had ended without being written yet: a few batches at most.
    assert sum(ends.values()) - jobs <= len(kills) * threads * 20
    for name, times in service.sink.all_times("end").items():
        for at in times[:-1]:
            assert any(kill - MOMENT_SECONDS < at < kill + 0.1 for kill in kills), (
                f"{name} ran twice unkilled"
            )
    assert service.reads.depth("default") == 0
    wait_until(lambda: service.reads.running() == 0)
    report = examine(service.store.client, service.store.namespace)
    assert (report.findings, report.notes) == ([], [])


def test_fifteen_hundred_jobs_survive_random_kills(make_service: Callable[..., Service]) -> None:
    service = make_service(lease_ms=3_000)
    kills = drain_with_kills(service, 1_500, (200, 600), timeout=100)
    assert len(kills) >= 2
    assert_each_ran(service, 1_500, kills)


@pytest.mark.soak
def test_a_hundred_thousand_jobs_survive_random_kills(make_service: Callable[..., Service]) -> None:
    service = make_service(lease_ms=3_000)
    kills = drain_with_kills(service, 100_000, (2_000, 8_000), timeout=600)
    assert len(kills) >= 10
    assert_each_ran(service, 100_000, kills)


@pytest.mark.soak
def test_a_job_that_no_interrupt_reaches_ends_its_worker_and_alone_is_charged(service: Service) -> None:
    [stuck] = service.submit("stuck_in_c", "stuck", max_crashes=1)
    first = service.worker(threads=2)
    wait_until(lambda: service.effects("start")["stuck"] == 1)
    [other] = service.submit("hold", "other", 45.0)

    wait_until(
        lambda: first.main.poll() is not None, timeout=120, message="the keeper did not end the worker"
    )

    wait_until(lambda: service.reads.state(stuck) == "dead")
    job, neighbour = service.reads.job(stuck), service.reads.job(other)
    assert job is not None
    assert neighbour is not None
    assert job.reason == "time_limit_hard"
    assert neighbour.crashes == 0
