"""Workers are killed before every line of an actor with an effect: it happens as often as its policy says."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine, text

from tests.process.workers import Service
from tests.waiting import wait_until
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.states import FINAL, State
from worker_service.sql import create_receipts
from worker_service.store import Job

MODULE = "once_work"


def kill_before_every_line(service: Service, actor: str, most: int = 12, **env: str) -> list[Job]:
    """One job for each line that the actor runs, killed before it; the rest of ``most`` jobs live. All at their end."""
    ids = service.submit(actor, f"{service.settings.namespace}.{{i}}", count=most, max_crashes=9)
    env["EFFECTS_FILE"] = str(service.sink.file)
    service.supervise(
        lambda: all_ended(service, ids), timeout=40 + 5 * most, threads=1, module=MODULE, env=env
    )
    jobs = jobs_of(service, ids)
    crashes = [job.crashes for job in jobs]
    lines = sum(crashes)
    assert crashes == [1] * lines + [0] * (most - lines)
    assert 8 <= lines < most, "lines without a job that is killed before them"
    return jobs


def all_ended(service: Service, ids: list[str]) -> bool:
    return all(service.reads.state(id) in FINAL for id in ids)


def jobs_of(service: Service, ids: list[str]) -> list[Job]:
    return [job for id in ids if (job := service.reads.job(id))]


def charges_of(service: Service, jobs: list[Job]) -> list[int]:
    """How often the order of each job was charged, as the sink saw it."""
    charged = service.effects("charge")
    return [charged[job.message["args"][0]] for job in jobs]


def results_are_right(jobs: list[Job]) -> bool:
    return all(job.result == f"receipt-{job.message['args'][0]}" for job in jobs)


def test_with_verify_it_happens_exactly_once(service: Service) -> None:
    jobs = kill_before_every_line(service, "verified")

    assert {job.state for job in jobs} == {State.SUCCEEDED}
    assert charges_of(service, jobs) == [1] * len(jobs)
    assert results_are_right(jobs)
    assert [[step.state for step in job.steps] for job in jobs] == [["done"]] * len(jobs)


@pytest.mark.soak
def test_left_to_a_person_it_happens_at_most_once_and_exactly_once_when_he_has_looked(
    service: Service,
) -> None:
    jobs = kill_before_every_line(service, "manual")
    dead = [job for job in jobs if job.state is State.DEAD]
    charged = charges_of(service, jobs)
    assert set(charged) <= {0, 1}
    assert {0, 1} <= set(charges_of(service, dead)), "nobody was killed on both sides of the effect"
    for job in jobs:
        if job in dead:
            assert job.reason == "unknown_outcome"
            assert [(step.name, step.state) for step in job.steps] == [("charge", "begun")]
        else:
            assert job.state is State.SUCCEEDED
            assert charges_of(service, [job]) == [1]

    for job in dead:
        order = job.message["args"][0]
        found = bool(service.effects("charge")[order])
        outcome = ("done", f'"receipt-{order}"') if found else ("not_done", "")
        assert service.store.settle_step(job.id, "charge", "n1", *outcome) == "settled"
        service.store.replay([job.id], "n2")

    wait_until(lambda: service.in_state("succeeded") == len(jobs), timeout=30)
    jobs = jobs_of(service, [job.id for job in jobs])
    assert charges_of(service, jobs) == [1] * len(jobs)
    assert results_are_right(jobs)


@pytest.mark.soak
def test_with_retry_it_happens_at_least_once(service: Service) -> None:
    jobs = kill_before_every_line(service, "retried")

    assert {job.state for job in jobs} == {State.SUCCEEDED}
    assert set(charges_of(service, jobs)) == {1, 2}  # two for those that were killed between effect and entry
    assert results_are_right(jobs)


@pytest.fixture
def books(engine: Engine) -> Iterator[Callable[[], Counter[str]]]:
    """Counts the charges in a database."""
    with engine.begin() as connection:
        create_receipts(connection)
        connection.execute(text("CREATE TABLE charged (name TEXT)"))

    def read() -> Counter[str]:
        with engine.connect() as connection:
            return Counter(connection.scalars(text("SELECT name FROM charged")))

    yield read
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE charged"))


@pytest.mark.sql
@pytest.mark.soak
def test_with_a_receipt_in_the_database_it_happens_exactly_once(
    service: Service, database_url: str, books: Callable[[], Counter[str]]
) -> None:
    jobs = kill_before_every_line(service, "in_sql", DATABASE_URL=database_url)

    assert {job.state for job in jobs} == {State.SUCCEEDED}
    assert [books()[job.message["args"][0]] for job in jobs] == [1] * len(jobs)
    assert results_are_right(jobs)


@pytest.mark.soak
def test_killed_before_every_line_of_once_itself_it_happens_exactly_once(service: Service) -> None:
    jobs = kill_before_every_line(service, "verified", 90, KILL_IN_ONCE="1")

    assert sum(job.crashes for job in jobs) > 50
    assert {job.state for job in jobs} == {State.SUCCEEDED}
    assert charges_of(service, jobs) == [1] * len(jobs)
    assert results_are_right(jobs)


def test_a_worker_that_stood_still_in_a_step_does_not_end_it(service: Service) -> None:
    [id] = service.submit("held", "order", 2.0)
    env = {"EFFECTS_FILE": str(service.sink.file)}
    stopped = service.worker(threads=1, module=MODULE, env=env)
    wait_until(lambda: service.effects("charge")["order"] == 1)
    pid = stopped.pid("worker")
    os.kill(pid, signal.SIGSTOP)
    try:
        service.worker(threads=1, module=MODULE, env=env)
        wait_until(lambda: service.reads.state(id) is State.SUCCEEDED, timeout=20)
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(
        lambda: len(service.sessions()) == 2, message="the continued worker did not open a new session"
    )

    [job] = jobs_of(service, [id])
    assert (
        job.result == job.steps[0].result == "receipt-order"
    )  # as it was found, not as it was about to be entered
    assert service.effects("charge") == {"order": 1}


def test_greenlets_side_by_side_each_have_a_step_of_their_own(service: Service) -> None:
    ids = service.submit("slow", "order{i}", count=30)
    service.worker(
        threads=30, command="dramatiq-gevent", module=MODULE, env={"EFFECTS_FILE": str(service.sink.file)}
    )

    wait_until(lambda: service.in_state("succeeded") == 30, timeout=20)

    assert {job.result for job in jobs_of(service, ids)} == {"charged in attempt 1"}
    assert service.effects("charge") == {f"order{i}": 1 for i in range(30)}


class TestOutage:
    def begun(self, service: Service, actor: str, word: str) -> str:
        """A job that has come to this word, and waits for the server to go."""
        [id] = service.submit(actor, "order")
        service.worker(threads=1, module=MODULE, env={"EFFECTS_FILE": str(service.sink.file)})
        wait_until(lambda: service.effects(word)["order"] == 1)
        return id

    def logged(self, service: Service, words: bytes) -> bool:
        return words in service.workers[-1].log.read_bytes()

    def test_before_a_step_fails_the_attempt_and_nothing_has_happened(
        self, own_server: EmbeddedServer, on_own_server: Service
    ) -> None:
        service = on_own_server
        id = self.begun(service, "begins_in_an_outage", "ready")

        own_server.kill()
        wait_until(lambda: self.logged(service, b"StoreUnavailable"), timeout=20)
        assert service.effects("charge") == {}
        own_server.start()

        wait_until(lambda: service.reads.state(id) is State.SUCCEEDED, timeout=30)
        [job] = jobs_of(service, [id])
        assert (job.attempts, job.crashes) == (1, 0)
        assert service.effects("charge") == {"order": 1}

    def test_after_an_effect_is_waited_out(self, own_server: EmbeddedServer, on_own_server: Service) -> None:
        service = on_own_server
        id = self.begun(service, "ends_in_an_outage", "charge")

        own_server.kill()
        wait_until(lambda: self.logged(service, b"Recording the end of a step waits"), timeout=20)
        own_server.start()

        wait_until(lambda: service.reads.state(id) is State.SUCCEEDED, timeout=30)
        [job] = jobs_of(service, [id])
        assert (job.attempts, job.crashes) == (0, 0)
        assert [step.state for step in job.steps] == ["done"]
        assert service.effects("charge") == {"order": 1}
