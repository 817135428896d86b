"""Worker processes are asked to stop; nothing is lost, nothing is charged."""

import signal
from collections.abc import Callable

from tests.process.workers import Service, is_alive
from tests.waiting import wait_until
from worker_service.jobs.states import State


def test_a_stop_under_load_loses_and_charges_nothing(service: Service) -> None:
    ids = service.submit("hold", "job{i}", 0.03, count=400)
    first = service.worker()
    wait_until(lambda: service.in_state("succeeded") > 50)

    first.terminate()
    assert first.wait() == 0
    assert service.reads.running() == 0
    assert not service.sessions()
    done_by_first = service.in_state("succeeded")
    assert done_by_first < 400
    service.worker()

    wait_until(lambda: service.in_state("succeeded") == 400, timeout=30)
    jobs = [job for id in ids if (job := service.reads.job(id))]
    assert all(job.attempts == 0 and job.crashes == 0 for job in jobs)
    assert set(service.effects("end").values()) == {1}


def test_what_does_not_end_within_the_grace_is_handed_back_uncharged(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(shutdown_grace_ms=300)
    [id] = service.submit("hold", "job", 5.0)
    first = service.worker()
    wait_until(lambda: service.effects("start")["job"] == 1)

    first.terminate()
    assert first.wait() == 0

    job = service.reads.job(id)
    assert job is not None
    assert (job.state, job.attempts, job.crashes) == (State.QUEUED, 0, 0)


def test_a_second_signal_ends_at_once_and_charges_nothing(service: Service) -> None:
    [id] = service.submit("hold", "job", 30.0)
    first = service.worker()
    wait_until(lambda: service.effects("start")["job"] == 1)
    worker, keeper = first.pid("worker"), first.pid("keeper")

    first.terminate()
    wait_until(lambda: b"Shutting down..." in first.log.read_bytes())
    first.main.send_signal(signal.SIGTERM)
    first.wait(10)

    wait_until(lambda: not is_alive(worker) and not is_alive(keeper))
    job = service.reads.job(id)
    assert job is not None
    assert (job.state, job.attempts, job.crashes) == (State.QUEUED, 0, 0)
    assert not service.sessions()


def test_an_idle_worker_stops_and_leaves_no_process(service: Service) -> None:
    worker = service.worker(processes=2)
    wait_until(lambda: len(service.sessions()) == 2)
    pids = worker.processes()

    worker.terminate()

    assert worker.wait() == 0
    wait_until(lambda: not any(is_alive(pid) for pid in pids.values()))
    assert not service.sessions()


def test_a_delayed_job_survives_the_stop_of_the_worker_that_knew_of_it(service: Service) -> None:
    first = service.worker()
    wait_until(service.sessions)
    [id] = service.submit("quick", "job", delay_ms=1500)
    first.terminate()
    first.wait()
    service.worker()

    wait_until(lambda: service.reads.state(id) == State.SUCCEEDED)
    job = service.reads.job(id)
    assert job is not None
    assert job.started_at_ms is not None
    assert job.due_at_ms is not None
    assert job.started_at_ms >= job.due_at_ms


def test_a_process_that_lost_a_thread_drains_and_ends(service: Service) -> None:
    [held] = service.submit("hold", "held", 2.0)
    worker = service.worker(threads=2)
    service.submit("lose_thread", "job")

    worker.wait(20)

    assert "A worker thread has died" in worker.log.read_text()
    assert service.reads.state(held) == State.SUCCEEDED
    assert not service.sessions()
