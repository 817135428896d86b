"""A worker process that lives and does not get on is found out, and in the end ended; one that has a reason is not."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.process.workers import Service, Worker
from tests.waiting import wait_until
from worker_service.check import Unhealthy, check_worker
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.states import State
from worker_service.store.workers import Worker as Process
from worker_service.store.workers import Workers

LEASE_MS = 1000
STALLED_SECONDS = 2 * LEASE_MS / 1000
ENDED_SECONDS = 20 * LEASE_MS / 1000


class Stuck:
    """A service with one worker process, a part of which can be made to stop."""

    def __init__(self, service: Service, file: Path) -> None:
        self.service = service
        self.file = file
        self.part = ""

    def worker(self, part: str, **options: object) -> Worker:
        """Start it, and let it do a job."""
        self.part = part
        env = {"STUCK": part, "STUCK_FILE": str(self.file)}
        started = self.service.worker(module="stuck", env=env, **options)  # type: ignore[arg-type]
        self.service.submit("quick", "first")
        wait_until(lambda: self.service.in_state("succeeded") == 1)
        return started

    def stop(self) -> None:
        """From now on that part does nothing."""
        self.file.touch()
        if self.part == "interpreter":
            wait_until(self.file.read_text)

    def go_on(self) -> None:
        """It does again."""
        self.file.unlink()

    def processes(self) -> list[Process]:
        """The worker processes that have a lease."""
        return Workers(self.service.store.client, self.service.store.keys).live(10)

    def duty(self) -> str | None:
        """What the process does not do, if it is stalled."""
        return next((each.stalled_in for each in self.processes() if each.stalled_at_ms is not None), None)

    def lease_ends_at_ms(self) -> int:
        """When the newest lease ends; there may be none for a moment, on a machine that is busy."""
        return max((each.lease_ends_at_ms for each in self.processes()), default=0)

    def stays_well(self, seconds: float = 2 * STALLED_SECONDS) -> None:
        """The process does not stall while its keeper extends the lease again and again."""
        wait_until(self.lease_ends_at_ms)
        until = self.lease_ends_at_ms() + seconds * 1000

        def has_been_extended() -> bool:
            assert self.duty() is None
            return self.lease_ends_at_ms() > until

        wait_until(has_been_extended, timeout=4 * seconds + 10)


@pytest.fixture
def stuck(make_service: Callable[..., Service], tmp_path: Path) -> Iterator[Stuck]:
    file = tmp_path / "stuck"
    yield Stuck(make_service(lease_ms=LEASE_MS, shutdown_grace_ms=500), file)
    file.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("part", "duties"),
    [
        ("claimer", {"claim"}),
        ("dead claimer", {"claim"}),
        ("threads", {"start"}),
        ("writer", {"write"}),
        ("interpreter", {"claim"}),
    ],
)
def test_a_process_of_which_a_part_is_stuck_is_stalled(stuck: Stuck, part: str, duties: set[str]) -> None:
    worker = stuck.worker(part)

    stuck.stop()
    stuck.service.submit("quick", "job{i}", count=4)  # the listener gets the first, whatever the claimer does

    wait_until(lambda: stuck.duty() in duties, timeout=15, message=f"see {worker.log}")
    with pytest.raises(Unhealthy, match="gets nowhere"):
        check_worker(stuck.service.settings)
    assert worker.main.poll() is None  # it lives, and its keeper holds its lease
    assert b"The worker gets nowhere" in worker.log.read_bytes()


def test_a_process_that_gets_on_again_is_well_again(stuck: Stuck) -> None:
    worker = stuck.worker("claimer")
    stuck.stop()
    stuck.service.submit("quick", "job{i}", count=4)
    wait_until(lambda: stuck.duty() == "claim", timeout=15)

    stuck.go_on()

    wait_until(lambda: stuck.duty() is None)
    check_worker(stuck.service.settings)
    assert b"The worker gets on again" in worker.log.read_bytes()


def test_all_threads_that_are_stuck_outside_of_jobs_are_noticed_though_their_jobs_fill_them(
    stuck: Stuck,
) -> None:
    stuck.worker("threads", threads=2)
    stuck.stop()
    stuck.service.submit("quick", "job{i}", count=10)

    wait_until(lambda: stuck.duty() in ("claim", "start"), timeout=15)


@pytest.mark.soak
@pytest.mark.parametrize("part", ["claimer", "dead claimer", "threads", "writer", "interpreter"])
def test_a_process_that_stays_stalled_is_ended_and_another_one_does_its_jobs(stuck: Stuck, part: str) -> None:
    worker = stuck.worker(part)
    stuck.stop()
    jobs = stuck.service.submit("quick", "job{i}", count=4)
    wait_until(lambda: stuck.duty() is not None, timeout=15)

    worker.wait(ENDED_SECONDS + 30)
    stuck.go_on()

    assert b"it is ended" in worker.log.read_bytes()
    stuck.service.worker()
    wait_until(lambda: all(stuck.service.reads.state(id) is State.SUCCEEDED for id in jobs), timeout=20)


class TestFalseAlarm:
    def test_an_idle_process(self, stuck: Stuck) -> None:
        stuck.worker("")
        stuck.stays_well()

    def test_long_jobs_on_all_threads_while_others_wait(self, stuck: Stuck) -> None:
        stuck.worker("", threads=2)
        stuck.service.submit("hold", "long{i}", 60.0, count=5)
        wait_until(lambda: len(stuck.service.effects("start")) == 2)
        stuck.stays_well()

    def test_long_jobs_with_prefetched_ones_behind_them(
        self, make_service: Callable[..., Service], tmp_path: Path
    ) -> None:
        stuck = Stuck(make_service(lease_ms=LEASE_MS, prefetch=4), tmp_path / "stuck")
        stuck.worker("", threads=2)
        stuck.service.submit("hold", "long{i}", 60.0, count=12)
        wait_until(lambda: stuck.service.reads.running() == 6)
        stuck.stays_well()

    def test_async_jobs(self, stuck: Stuck) -> None:
        stuck.worker("", threads=2)
        stuck.service.submit("wait_async", "long{i}", 60.0, count=5)
        wait_until(lambda: len(stuck.service.effects("start")) == 2)
        stuck.stays_well()

    def test_gevent(self, stuck: Stuck) -> None:
        stuck.worker("", command="dramatiq-gevent", threads=4)
        stuck.service.submit("hold", "long{i}", 60.0, count=6)
        wait_until(lambda: len(stuck.service.effects("start")) == 4)
        stuck.stays_well()

    def test_paused_queue(self, stuck: Stuck) -> None:
        stuck.worker("")
        stuck.service.store.pause("default", "", 0)
        stuck.service.submit("quick", "job{i}", count=3)
        stuck.stays_well()

    def test_jobs_for_queues_of_others(self, stuck: Stuck) -> None:
        stuck.worker("", more=["-Q", "default"])
        stuck.service.submit("quick", "job")
        stuck.stays_well()

    def test_quieted_process(self, stuck: Stuck) -> None:
        stuck.worker("")
        [session] = stuck.service.sessions()
        stuck.service.store.tell_worker(session, "quiet")
        wait_until(lambda: b"take no more jobs" in stuck.service.workers[0].log.read_bytes())
        stuck.service.submit("quick", "job{i}", count=3)
        stuck.stays_well()

    def test_server_that_refuses_to_hand_out_jobs(self, stuck: Stuck) -> None:
        stuck.worker("server")
        stuck.stop()
        stuck.service.submit("quick", "job{i}", count=3)
        stuck.stays_well()

    def test_server_that_was_away_for_long(self, own_server: EmbeddedServer, tmp_path: Path) -> None:
        pid = own_server.pid
        assert pid is not None
        service = Service(own_server.url, "away", tmp_path, lease_ms=LEASE_MS)
        stuck = Stuck(service, tmp_path / "stuck")
        worker = stuck.worker("")
        try:
            os.kill(pid, signal.SIGSTOP)
            wait_until(lambda: b"waits: Redis" in worker.log.read_bytes(), timeout=30)
            os.kill(pid, signal.SIGCONT)
            service.submit("quick", "job{i}", count=20)
            wait_until(lambda: service.in_state("succeeded") == 21, timeout=20)
            stuck.stays_well()
            assert b"gets nowhere" not in worker.log.read_bytes()
        finally:
            service.close()

    def test_process_and_keeper_that_were_frozen_for_longer_than_it_may_stall(self, stuck: Stuck) -> None:
        worker = stuck.worker("")
        pids = [worker.pid("keeper"), worker.pid("worker")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        stuck.service.submit("quick", "job{i}", count=20)
        wait_until(lambda: not stuck.processes(), timeout=15)  # its lease has run out
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

        wait_until(lambda: stuck.service.in_state("succeeded") == 21, timeout=20)
        stuck.stays_well()
        assert b"gets nowhere" not in worker.log.read_bytes()

    def test_job_at_its_last_chance_that_runs_alone(self, stuck: Stuck) -> None:
        [id] = stuck.service.submit("hold", "alone", 60.0, max_crashes=1)
        stuck.service.store.client.hset(stuck.service.store.keys.job(id), "crashes", 1)
        stuck.service.worker()
        wait_until(lambda: stuck.service.effects("start")["alone"] == 1)
        stuck.service.submit("quick", "job{i}", count=3)
        stuck.stays_well()

    @pytest.mark.soak
    def test_job_that_holds_the_interpreter_is_told_of_and_not_ended_before_its_time_limit(
        self, stuck: Stuck
    ) -> None:
        worker = stuck.worker("")
        stuck.service.submit("hold_interpreter", "hog", int(ENDED_SECONDS * 2))
        wait_until(lambda: stuck.service.effects("start")["hog"] == 1)
        stuck.service.submit("quick", "job{i}", count=3)

        wait_until(lambda: stuck.duty() == "claim", timeout=15)

        wait_until(lambda: stuck.service.in_state("succeeded") == 5, timeout=ENDED_SECONDS * 2 + 10)
        assert set(stuck.service.effects("start").values()) == {1}
        assert worker.main.poll() is None
