"""Threads, greenlets and coroutines."""

import time

import pytest

from tests.process.slow_site import SlowSite
from tests.process.workers import Service
from tests.waiting import wait_until
from worker_service.jobs.states import State


def test_async_actors_run_side_by_side(service: Service) -> None:
    service.submit("wait_async", "job{i}", 0.5, count=8)
    service.worker(threads=8)
    wait_until(lambda: service.in_state("succeeded") == 8)
    starts = [service.times("start", f"job{i}")[0] for i in range(8)]
    ends = [service.times("end", f"job{i}")[0] for i in range(8)]
    assert max(starts) < min(ends)


def test_gevent_runs_hundreds_of_waiting_jobs_at_once(service: Service) -> None:
    service.submit("hold", "job{i}", 1.0, count=200)
    service.worker(threads=200, command="dramatiq-gevent")
    wait_until(lambda: service.in_state("succeeded") == 200, timeout=30)
    assert set(service.effects("start").values()) == {1}
    starts = [service.times("start", f"job{i}")[0] for i in range(200)]
    assert max(starts) - min(starts) < 3


@pytest.mark.soak
def test_five_hundred_waits_of_a_second_on_one_gevent_process_end_within_two_and_a_half(
    service: Service,
) -> None:
    with SlowSite(seconds=1.0) as site:
        service.worker(threads=500, command="dramatiq-gevent")
        service.submit("quick", "warm-up")
        wait_until(lambda: service.in_state("succeeded") == 1, timeout=30)

        begin = time.monotonic()
        ids = service.submit("ask", site.url, count=500)
        wait_until(lambda: service.in_state("succeeded") == 501, timeout=30)
        seconds = time.monotonic() - begin

    assert seconds < 2.5
    assert site.most == 500
    deliveries = [job.deliveries for id in ids if (job := service.reads.job(id))]
    assert [len(each) for each in deliveries] == [1] * 500, "a lease was not held"


def test_gevent_keeps_time_limits_and_stops_gracefully(service: Service) -> None:
    [late] = service.submit("hold_limited", "late", 30.0, max_attempts=1)
    [held] = service.submit("hold", "held", 1.5)
    worker = service.worker(threads=20, command="dramatiq-gevent")
    wait_until(lambda: service.reads.state(late) == State.DEAD)
    worker.terminate()
    assert worker.wait() == 0
    assert service.reads.state(held) == State.SUCCEEDED
    job = service.reads.job(late)
    assert job is not None
    assert job.error is not None
    assert job.error["type"] == "TimeLimitExceeded"


def test_gevent_gives_back_the_jobs_of_a_killed_worker(service: Service) -> None:
    ids = service.submit("hold", "job{i}", 0.5, count=4)
    first = service.worker(threads=20, command="dramatiq-gevent")
    wait_until(lambda: len(service.effects("start")) == 4)
    killed_at = time.time()
    first.kill("worker")
    first.wait()
    service.worker(threads=20, command="dramatiq-gevent")
    wait_until(lambda: service.in_state("succeeded") == 4, timeout=20)
    assert all(job.crashes == 1 for id in ids if (job := service.reads.job(id)))
    assert min(service.times("start", f"job{i}")[1] for i in range(4)) - killed_at < 5


@pytest.mark.parametrize("command", ["dramatiq", "dramatiq-gevent"])
def test_jobs_that_run_side_by_side_each_know_which_one_they_are(service: Service, command: str) -> None:
    ids = service.submit("know_itself", "job{i}", 0.2, count=20)
    service.worker(threads=20, command=command)
    wait_until(lambda: service.in_state("succeeded") == 20, timeout=20)
    assert [job.result for id in ids if (job := service.reads.job(id))] == [[id, id] for id in ids]
