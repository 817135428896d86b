"""Worker processes do what they are asked over the store: take no more jobs, or stop."""

from collections.abc import Callable
from typing import Literal

import pytest

from tests.process.workers import Service, is_alive
from tests.waiting import wait_until
from worker_service.jobs.states import State


def only_session(service: Service) -> str:
    wait_until(lambda: len(service.sessions()) == 1, timeout=15)
    (session,) = service.sessions()
    return session


def test_quiet_worker_lets_its_job_end_and_takes_no_more(service: Service) -> None:
    worker = service.worker(threads=2)
    service.submit("hold", "runs", 1.0)
    wait_until(lambda: service.effects("start")["runs"] == 1, timeout=15)
    session = only_session(service)

    for _ in range(2):
        assert service.store.tell_worker(session, "quiet")
    wait_until(lambda: b"to take no more jobs" in worker.log.read_bytes(), timeout=1)
    [left] = service.submit("hold", "left", 0.0)

    wait_until(lambda: service.effects("end")["runs"] == 1)
    wait_until(lambda: service.in_state("succeeded") == 1)
    other = service.worker()
    wait_until(lambda: service.effects("end")["left"] == 1, timeout=15)
    job = service.reads.job(left)
    assert job is not None
    assert job.worker != session
    assert is_alive(worker.pid("worker"))
    assert session in service.sessions()  # it lives on, and says so
    other.terminate()
    worker.terminate()
    assert worker.wait() == 0


def test_quiet_worker_gives_back_what_it_had_fetched_and_not_started(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(prefetch=4)
    service.worker(threads=1)
    ids = service.submit("hold", "job{i}", 1.5, count=3)
    wait_until(lambda: service.effects("start").total() == 1, timeout=15)
    wait_until(lambda: service.reads.running() == 3)

    service.store.tell_worker(only_session(service), "quiet")

    wait_until(lambda: service.reads.running() == 1, timeout=1)
    states = [job.state for id in ids if (job := service.reads.job(id))]
    assert sorted(states) == [State.QUEUED, State.QUEUED, State.RUNNING]


@pytest.mark.parametrize("first", ["quiet", "stop"])
def test_stopped_worker_ends_in_order_after_its_job(
    service: Service, first: Literal["quiet", "stop"]
) -> None:
    worker = service.worker(threads=2)
    [id] = service.submit("hold", "runs", 1.5)
    wait_until(lambda: service.effects("start")["runs"] == 1, timeout=15)
    session = only_session(service)
    pid = worker.pid("worker")

    assert service.store.tell_worker(session, first)
    for _ in range(2):
        assert service.store.tell_worker(session, "stop")
    wait_until(lambda: b"Stopping worker process" in worker.log.read_bytes(), timeout=1)

    wait_until(lambda: not is_alive(pid), timeout=15)
    job = service.reads.job(id)
    assert job is not None
    assert (job.state, job.attempts, job.crashes) == (State.SUCCEEDED, 0, 0)
    assert not service.sessions()
    assert not service.store.tell_worker(session, "stop")
    assert worker.wait() == 0


def test_word_that_was_missed_is_found_when_the_server_answers_again(on_own_server: Service) -> None:
    service = on_own_server
    worker = service.worker()
    session = only_session(service)
    client = service.store.client
    client.hset(
        service.store.keys.session(session), "quiet_at", 1
    )  # a connection that broke has taken the bell

    def connections_break_and_it_is_obeyed() -> bool:
        client.client_kill_filter(_type="normal", skipme=True)
        return b"to take no more jobs" in worker.log.read_bytes()

    wait_until(connections_break_and_it_is_obeyed, timeout=15)
