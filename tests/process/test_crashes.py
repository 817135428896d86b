"""Worker processes are killed; their jobs are not lost."""

import os
import re
import signal
import socket
import time
from collections.abc import Callable

import pytest

from tests.process.workers import Service, is_alive
from tests.waiting import wait_until
from worker_service.jobs.states import State
from worker_service.store import Job


def assert_told(job: Job, how: str) -> None:
    """The job and each of its deliveries that crashed say which process died and how."""
    told = [each.error for each in job.deliveries if each.outcome == "crash"]
    told += [job.error] if job.state is State.DEAD else []
    release = tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])
    known = how if release >= (6, 15) else f"({how}|died)"  # an older kernel tells only who is quick
    process = rf"its worker process \({re.escape(socket.gethostname())}, pid \d+\) {known}"
    assert told
    for error in told:
        assert error is not None
        assert error["type"] == "WorkerLost"
        assert re.fullmatch(process, error["message"])


@pytest.mark.bound
def test_a_job_of_a_killed_worker_runs_again_within_five_seconds(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(lease_ms=15_000)  # the real lease: it is the keeper that is quick
    [id] = service.submit("hold", "job", 2.0)
    first = service.worker()
    wait_until(lambda: service.effects("start")["job"] == 1)

    killed_at = time.time()
    first.kill("worker")
    first.wait()  # Dramatiq's command ends with its worker; a supervisor starts it again
    service.worker()

    wait_until(lambda: service.effects("start")["job"] == 2)
    assert service.times("start", "job")[1] - killed_at < 5
    wait_until(lambda: service.reads.state(id) == State.SUCCEEDED)
    job = service.reads.job(id)
    assert job is not None
    assert (job.attempts, job.crashes) == (0, 1)
    assert [delivery.outcome for delivery in job.deliveries] == ["crash", "complete"]


@pytest.mark.bound
def test_the_jobs_of_a_killed_worker_run_within_two_seconds_where_another_one_is_there(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(lease_ms=15_000)
    workers = [service.worker(), service.worker()]
    wait_until(lambda: len(service.sessions()) == 2)
    [id] = service.submit("hold", "job", 4.0)
    wait_until(lambda: service.effects("start")["job"] == 1)
    job = service.reads.job(id)
    assert job is not None
    pid = service.store.client.hget(service.store.keys.session(job.worker or ""), "pid")
    assert int(pid or 0) in {worker.pid("worker") for worker in workers}

    killed_at = time.time()
    os.kill(int(pid or 0), signal.SIGKILL)

    wait_until(lambda: service.effects("start")["job"] == 2)
    assert service.times("start", "job")[1] - killed_at < 2


@pytest.mark.bound
@pytest.mark.soak
def test_a_job_of_a_lost_host_runs_again_within_twenty_seconds(make_service: Callable[..., Service]) -> None:
    service = make_service(lease_ms=15_000)
    [id] = service.submit("hold", "job", 1.0)
    first = service.worker()
    wait_until(lambda: service.effects("start")["job"] == 1)

    killed_at = time.time()
    first.kill_group()
    service.worker()

    wait_until(lambda: service.effects("start")["job"] == 2, timeout=25)
    assert service.times("start", "job")[1] - killed_at < 20
    wait_until(lambda: service.reads.state(id) == State.SUCCEEDED)


def test_what_had_not_started_is_not_charged_for_a_crash(make_service: Callable[..., Service]) -> None:
    service = make_service(prefetch=10)
    ids = service.submit("hold", "job{i}", 0.5, count=6)
    first = service.worker(threads=2)
    wait_until(lambda: len(service.effects("start")) == 2)
    wait_until(lambda: service.reads.running() == 6, message="the rest was not prefetched")

    first.kill("worker")
    first.wait()
    service.worker(threads=2)

    wait_until(lambda: service.in_state("succeeded") == 6, timeout=20)
    crashes = [job.crashes for id in ids if (job := service.reads.job(id))]
    assert sorted(crashes) == [0, 0, 0, 0, 1, 1]


def test_a_job_that_kills_its_worker_dies_and_its_neighbours_live(
    make_service: Callable[..., Service],
) -> None:
    service = make_service()
    neighbours = service.submit("hold", "good{i}", 0.2, count=12)
    [poison] = service.submit("die", "poison", priority=-1)

    service.supervise(
        lambda: service.reads.state(poison) == State.DEAD and service.in_state("succeeded") == 12, threads=4
    )

    job = service.reads.job(poison)
    assert job is not None
    assert (job.reason, job.crashes) == ("worker_lost", 3)
    assert_told(job, "was killed by SIGKILL")
    assert {each.crashes for id in neighbours if (each := service.reads.job(id))} <= {0, 1}


def test_a_crash_right_after_the_start_is_noticed_by_a_keeper_that_is_just_starting(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(lease_ms=15_000)
    [id] = service.submit("exit_at_once", "job")
    worker = service.worker()
    worker.wait()
    os.killpg(worker.main.pid, signal.SIGTERM)  # a supervisor clears away what is left of the group

    wait_until(lambda: service.reads.state(id) == State.RETRYING, timeout=8)
    assert not service.sessions()
    job = service.reads.job(id)
    assert job is not None
    assert_told(job, "ended with exit code 7")


def test_a_stopped_worker_loses_its_job_and_does_not_finish_it(make_service: Callable[..., Service]) -> None:
    service = make_service(lease_ms=4000)  # the other worker must keep its own, on a busy machine too
    [id] = service.submit("hold", "job", 2.0)
    stopped = service.worker(threads=1)
    wait_until(lambda: service.effects("start")["job"] == 1)
    worker_pid = stopped.pid("worker")
    os.kill(worker_pid, signal.SIGSTOP)
    try:
        service.worker(threads=1)
        wait_until(lambda: service.reads.state(id) == State.SUCCEEDED, timeout=20)
    finally:
        os.kill(worker_pid, signal.SIGCONT)
    wait_until(
        lambda: len(service.sessions()) == 2, message="the continued worker did not open a new session"
    )
    [other] = service.submit("hold", "other", 0.0)
    wait_until(lambda: service.reads.state(other) == State.SUCCEEDED)

    job = service.reads.job(id)
    assert job is not None
    assert [delivery.outcome for delivery in job.deliveries] == ["crash", "complete"]
    assert stopped.main.poll() is None


def test_a_job_that_holds_the_interpreter_lock_keeps_its_lease(service: Service) -> None:
    [id] = service.submit("hold_interpreter", "job", 4)  # far longer than the lease of 1.5 s
    service.worker()
    service.worker()

    wait_until(lambda: service.reads.state(id) == State.SUCCEEDED, timeout=15)
    assert service.effects("start")["job"] == 1


def test_a_killed_keeper_is_replaced_and_no_job_is_taken_back(service: Service) -> None:
    [id] = service.submit("hold", "job", 4.0)
    worker = service.worker()
    wait_until(lambda: service.effects("start")["job"] == 1)
    keeper = worker.pid("keeper")

    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: not is_alive(keeper))

    wait_until(lambda: worker.processes().get("keeper", keeper) != keeper, message="no new keeper")
    wait_until(lambda: service.reads.state(id) == State.SUCCEEDED, timeout=15)
    assert service.effects("start")["job"] == 1
    session = service.sessions()
    worker.kill("worker")
    wait_until(lambda: not service.sessions(), message=f"the new keeper did not take over {session}")


def test_a_job_that_kills_its_worker_at_its_very_start_does_not_hold_up_the_command(
    service: Service,
) -> None:
    """Dramatiq waits 30 s for a process that dies before it has reported its boot."""
    service.submit("die", "job")
    service.worker(module="slow_boot").wait(timeout=20)
