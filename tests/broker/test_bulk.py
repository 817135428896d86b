"""A job of the service itself operates on many others: on each that matched, once, whatever happens meanwhile."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, get_args

import pytest

from tests.broker.conftest import MakeBroker, Working, an_actor
from tests.store.builders import a_job
from tests.waiting import wait_until
from worker_service.broker import bulk
from worker_service.broker.broker import JobBroker
from worker_service.broker.bulk import MEANT, Operation
from worker_service.jobs.errors import PermanentError, StoreUnavailable
from worker_service.jobs.states import State
from worker_service.store import Job, JobFilter, matching

DEAD = JobFilter(states=(State.DEAD,))


@pytest.fixture
def broker(make_broker: MakeBroker) -> JobBroker:
    made = make_broker()
    bulk.declare(made)
    return made


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "CHUNK", 3)


@pytest.fixture
def runs(broker: JobBroker) -> Counter[int]:
    """How often the actor `work` ran with each number; it gives up every time."""
    counted: Counter[int] = Counter()

    def work(number: int) -> None:
        counted[number] += 1
        raise PermanentError

    an_actor(broker, work)
    return counted


def now_ms(broker: JobBroker) -> int:
    """By the server's clock."""
    seconds, micros = broker.store.client.time()
    return seconds * 1000 + micros // 1000


def dead(broker: JobBroker, number: int = 10, *, ago_ms: int = 60_000) -> list[str]:
    """Jobs of `work` that died one instant after the other, two by two."""
    begin_ms = now_ms(broker) - ago_ms
    jobs = [broker.actors["work"].message(each) for each in range(number)]
    for begin in range(0, number, 2):
        made = [
            a_job(job.message_id, message=broker._read(job, None)[1].message, dead_reason="test")
            for job in jobs[begin : begin + 2]
        ]
        broker.store.submit(made, now_ms=begin_ms + begin)
    return [job.message_id for job in jobs]


def submitted(
    broker: JobBroker, operation: Operation, wanted: JobFilter = DEAD, ids: list[str] | None = None
) -> str:
    job, _ = bulk.submit(broker, operation, ids, wanted)
    return job.id


def ended(broker: JobBroker, id: str) -> Job:
    job = broker.reads.wait_until_final(id, timeout=20)
    assert job is not None
    assert job.is_final, job
    return job


def states(broker: JobBroker, ids: list[str]) -> set[State | None]:
    return {broker.reads.state(id) for id in ids}


def test_jobs_that_die_again_meanwhile_are_put_back_once(
    broker: JobBroker, runs: Counter[int], working: Working
):
    ids = dead(broker)
    id = submitted(broker, "retry")
    with working(broker):
        job = ended(broker, id)
        wait_until(lambda: sum(runs.values()) == 10 and states(broker, ids) == {State.DEAD})

    assert job.result == {"matched": 10, "done": 10, "skipped": {}}
    assert job.progress == {"percent": 100, "note": "10 of 10 done"}
    assert runs == dict.fromkeys(range(10), 1)


def test_those_that_die_after_it_was_asked_are_left_alone(
    broker: JobBroker, runs: Counter[int], working: Working
):
    ids = dead(broker, 4)
    id = submitted(broker, "retry")
    later = dead(broker, 2, ago_ms=-60_000)
    with working(broker, queues={"service"}):
        job = ended(broker, id)

    assert job.result == {"matched": 4, "done": 4, "skipped": {}}
    assert states(broker, ids) == {State.QUEUED}
    assert states(broker, later) == {State.DEAD}


@pytest.mark.parametrize("operation", get_args(Operation))
@pytest.mark.parametrize("call", [1, 3])
def test_delivery_that_follows_a_failure_counts_each_job_once(
    broker: JobBroker,
    runs: Counter[int],
    working: Working,
    monkeypatch: pytest.MonkeyPatch,
    operation: Operation,
    call: int,
):
    if operation == "cancel":
        ids = [
            broker.actors["work"].send_with_options(args=(each,), delay=60_000).message_id
            for each in range(10)
        ]
    else:
        ids = dead(broker)
    fail_after(monkeypatch, broker, operation, call, lambda: StoreUnavailable("the reply was lost"))
    id = submitted(broker, operation, JobFilter(states=MEANT[operation], actor="work"))

    with working(broker, queues={"service"}):
        job = ended(broker, id)

    assert job.result == {"matched": 10, "done": 10, "skipped": {}}
    assert [delivery.outcome for delivery in job.deliveries] == ["retry", "complete"]
    after = {"retry": State.QUEUED, "cancel": State.CANCELLED, "delete": None}[operation]
    assert states(broker, ids) == {after}


def test_delivery_that_lost_its_claim_stops_and_the_next_one_goes_on(
    broker: JobBroker, runs: Counter[int], working: Working, monkeypatch: pytest.MonkeyPatch
):
    dead(broker)
    id = submitted(broker, "retry")

    def rescue() -> None:
        (session,) = broker.reads.sessions()
        broker.store.rescue(1000, "", session=session)

    fail_after(monkeypatch, broker, "retry", 2, rescue)
    with working(broker, queues={"service"}):
        job = ended(broker, id)

    assert job.result == {"matched": 10, "done": 10, "skipped": {}}
    assert [delivery.outcome for delivery in job.deliveries] == ["crash", "complete"]


@pytest.mark.parametrize("operation", ["retry", "delete"])
def test_job_that_somebody_else_put_back_and_stopped_meanwhile_is_left_alone(
    broker: JobBroker,
    runs: Counter[int],
    working: Working,
    monkeypatch: pytest.MonkeyPatch,
    operation: Operation,
):
    ids = dead(broker)
    name = "replay" if operation == "retry" else operation
    real, replay = getattr(broker.store, name), broker.store.replay

    def call_later(some: list[str], **named: Any) -> Any:
        if ids[0] in some:
            replay([ids[0]], "somebody else")
            broker.store.cancel(ids[0], now_ms=now_ms(broker) + 60_000)
        return real(some, **named)

    monkeypatch.setattr(broker.store, name, call_later)
    id = submitted(broker, operation)
    with working(broker, queues={"service"}):
        job = ended(broker, id)

    assert job.result == {"matched": 10, "done": 9, "skipped": {"later": 1}}
    assert broker.reads.state(ids[0]) is State.CANCELLED


def test_it_can_be_cancelled(
    broker: JobBroker, runs: Counter[int], working: Working, monkeypatch: pytest.MonkeyPatch
):
    dead(broker)
    id = submitted(broker, "retry")
    reached = threading.Event()

    def wait() -> None:
        reached.set()
        while True:
            time.sleep(0.01)

    fail_after(monkeypatch, broker, "retry", 2, wait)
    with working(broker, queues={"service"}):
        assert reached.wait(10)
        broker.store.cancel(id)
        job = ended(broker, id)

    assert job.state is State.CANCELLED
    assert job.progress == {"percent": 80, "note": "4 of 8 done"}


def test_by_ids_it_says_why_some_were_left_out(broker: JobBroker, runs: Counter[int], working: Working):
    first, second, damaged = dead(broker, 3)
    broker.store.client.delete(broker.store.keys.job(damaged))
    broker.store.client.set(broker.store.keys.job(damaged), "no record")
    waits = broker.actors["work"].send_with_options(args=(1,), delay=60_000).message_id
    ids = [first, second, first, waits, damaged, "nobody", "nothing"]
    found, told = {}, {}
    with working(broker, queues={"service"}):
        for operation in get_args(Operation):
            job = ended(broker, submitted(broker, operation, ids=ids))
            found[operation], told[operation] = job.result, job.progress

    assert told["delete"] == {"percent": 100, "note": "4 of 4 done; left out: 2 unknown"}
    assert found["retry"] == {"matched": 4, "done": 2, "skipped": {"unknown": 2, "active": 1, "damaged": 1}}
    assert found["cancel"] == {"matched": 4, "done": 3, "skipped": {"unknown": 2, "damaged": 1}}
    assert found["delete"] == {"matched": 4, "done": 4, "skipped": {"unknown": 2}}
    assert states(broker, [first, second, waits]) == {None}


def test_it_does_not_cancel_itself(broker: JobBroker, working: Working):
    wanted = JobFilter(states=MEANT["cancel"], queue="service")
    id = submitted(broker, "cancel", wanted)
    with working(broker):
        assert ended(broker, id).result == {"matched": 0, "done": 0, "skipped": {}}


def test_one_that_was_given_up_goes_on_where_it_was_when_a_person_puts_it_back(
    broker: JobBroker, runs: Counter[int], working: Working, monkeypatch: pytest.MonkeyPatch
):
    dead(broker)
    id = submitted(broker, "retry")
    fail_after(monkeypatch, broker, "retry", 2, lambda: PermanentError("enough"))
    with working(broker, queues={"service"}):
        assert ended(broker, id).state is State.DEAD
        broker.store.replay([id], "again")
        job = ended(broker, id)

    assert job.result == {"matched": 10, "done": 10, "skipped": {}}


def fail_after(
    monkeypatch: pytest.MonkeyPatch,
    broker: JobBroker,
    operation: Operation,
    call: int,
    then: Callable[[], Exception | None],
) -> None:
    """Let one call of the store be the last that a delivery of the bulk job hears of: it was carried out, but."""
    name = {"retry": "replay"}.get(operation, operation)
    real, calls = getattr(broker.store, name), iter(range(1, 1000))

    def call_and_fail(*args: Any, **named: Any) -> Any:
        answer = real(*args, **named)
        if next(calls) == call and (error := then()) is not None:
            raise error
        return answer

    monkeypatch.setattr(broker.store, name, call_and_fail)
