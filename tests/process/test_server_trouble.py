"""A server that is not itself: it loses replies, refuses writes, is full, stands still. Workers go on by themselves."""

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from tests.process.lossy_proxy import LossyProxy
from tests.process.workers import Service
from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.errors import StoreFull, StoreUnavailable
from worker_service.jobs.states import State
from worker_service.store.scripts import VERBS, source


def assert_all_ran_once(service: Service, ids: list[str]) -> None:
    jobs = [job for id in ids if (job := service.reads.job(id))]
    assert {job.state for job in jobs} == {State.SUCCEEDED}
    assert ({job.attempts for job in jobs}, {job.crashes for job in jobs}) == ({0}, {0})
    assert set(service.effects("end").values()) == {1}


def sha_of(verb: str) -> bytes:
    return hashlib.sha1(source(verb).encode()).hexdigest().encode()


USED = {"submit", "open_session", "claim", "extend", "progress", "log", "begin_step", "end_step", "finish"}
USED |= {"close_session", "rescue", "expire", "cancel", "replay"}


@pytest.mark.parametrize("every", [2, 3])
def test_lost_replies_double_and_strand_nothing(
    own_server: EmbeddedServer, namespace: str, tmp_path: Path, every: int
) -> None:
    with LossyProxy(own_server.url.removeprefix("unix://").partition("?")[0], every) as proxy:
        service = Service(proxy.url, namespace, tmp_path, lease_ms=3000)
        try:
            ids = [service.submit("quick", f"quick{i}")[0] for i in range(40)]
            ids += [service.submit("report", f"report{i}")[0] for i in range(20)]
            steps = [service.submit("charge_once", f"charge{i}")[0] for i in range(20)]
            workers = [service.worker(threads=2) for _ in range(3)]
            ids += [service.submit("hold", f"hold{i}", 0.05)[0] for i in range(40)]
            cancelled = service.submit("quick", "never{i}", count=20, delay_ms=3_600_000)
            assert [service.store.cancel(id) for id in cancelled] == ["cancelled"] * 20
            dead = [service.submit("quick", f"again{i}", dead_reason="x")[0] for i in range(10)]
            assert [service.store.replay([id], id) for id in dead] == [["replayed"]] * 10
            ids += dead
            wait_until(lambda: service.in_state("succeeded") == len(ids) + len(steps), timeout=60)
            wait_until(lambda: lost(proxy) >= USED - {"close_session"}, timeout=30)
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait()
            # A step whose beginning was lost again and again failed its attempt, and then nothing had happened.
            assert_all_ran_once(service, ids)
            assert (service.reads.running(), service.sessions()) == (0, set())
            assert lost(proxy) >= USED
        finally:
            service.close()


def lost(proxy: LossyProxy) -> set[str]:
    """The scripts of which at least one reply was lost."""
    return {verb for verb in VERBS if proxy.lost[sha_of(verb)]}


def test_a_server_that_becomes_read_only_holds_up_jobs_and_loses_none(
    own_server: EmbeddedServer, on_own_server: Service
) -> None:
    service, client = on_own_server, on_own_server.store.client
    ids = service.submit("hold", "job{i}", 0.05, count=300)
    worker = service.worker()
    wait_until(lambda: service.in_state("succeeded") > 20)

    client.replicaof("127.0.0.1", "1")  # a primary that cannot be reached, as in a failover
    with pytest.raises(StoreUnavailable):
        service.submit("hold", "refused", 0.0)
    wait_until(lambda: b"waits" in worker.log.read_bytes())
    client.replicaof("NO", "ONE")

    wait_until(lambda: service.in_state("succeeded") == 300, timeout=30)
    assert_all_ran_once(service, ids)


def test_a_full_server_takes_no_new_jobs_and_lets_running_ones_end(on_own_server: Service) -> None:
    service, client = on_own_server, on_own_server.store.client
    ids = service.submit("hold", "job{i}", 0.05, count=300)
    service.worker()
    wait_until(lambda: service.in_state("succeeded") > 20)

    client.config_set("maxmemory", "1mb")
    with pytest.raises(StoreFull):
        service.submit("hold", "refused", 0.0)
    wait_until(lambda: service.reads.running() == 0, message="running jobs did not end")
    assert service.in_state("succeeded") < 300
    client.config_set("maxmemory", "0")

    wait_until(lambda: service.in_state("succeeded") == 300, timeout=30)
    assert_all_ran_once(service, ids)


def test_a_server_that_stands_still_longer_than_the_lease_costs_nothing(on_own_server: Service) -> None:
    service = on_own_server
    ids = service.submit("hold", "job{i}", 0.2, count=100)
    service.worker()
    wait_until(lambda: service.in_state("succeeded") > 5)

    service.store.client.client_pause(4000)  # lease: 3 s

    wait_until(lambda: service.in_state("succeeded") == 100, timeout=40)
    assert_all_ran_once(service, ids)


@pytest.mark.parametrize("hours", [1, -1])
def test_a_worker_with_a_clock_an_hour_off_keeps_the_server_s_time(service: Service, hours: int) -> None:
    worker: Any = service.worker(module="skewed", env={"SKEW_SECONDS": str(hours * 3600)})
    wait_until(lambda: bool(service.sessions()))
    [unknown] = service.submit("of_no_worker", "job")
    due_at = time.time() + 1.5
    [id] = service.submit("hold", "job", 3.0, delay_ms=1500)  # runs for two leases
    expired = service.submit("quick", "late", delay_ms=500, expires_in_ms=60_000)

    wait_until(lambda: service.reads.state(id) is State.SUCCEEDED, timeout=20)

    job = service.reads.job(id)
    assert job is not None
    assert job.started_at_ms is not None
    assert job.started_at_ms / 1000 >= due_at - 0.05
    assert (job.crashes, len(job.deliveries)) == (0, 1)
    assert job.started_at_ms / 1000 <= due_at + 2
    assert service.reads.state(expired[0]) is State.SUCCEEDED
    looked_for = service.store.client.hget(service.store.keys.job(unknown), "deliveries")
    assert int(looked_for or 0) > 2, "it was taken for one that nobody has known for an hour"
    assert worker.main.poll() is None
