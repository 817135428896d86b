"""Workers are killed around the delivery of a webhook: it arrives, with a signature, and not once too often."""

from collections.abc import Iterator

import pytest

from tests.process.workers import Service
from tests.receiver import SECRET, Receiver, is_genuine
from tests.waiting import wait_until
from worker_service.broker.offered import WEBHOOK_QUEUE
from worker_service.broker.webhook_option import hook_of
from worker_service.jobs.states import State

ENV = {"JOBS_WEBHOOK_SECRETS": SECRET, "JOBS_OUTBOUND_ALLOW": "127.0.0.1"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with Receiver() as running:
        yield running


def submit(service: Service, receiver: Receiver, actor: str) -> str:
    [id] = service.submit(
        actor, "job", hook=hook_of(service.broker, {"webhook": {"url": receiver.url}}, may_sign=True)
    )
    return id


def delivery_state(service: Service, receiver: Receiver) -> State | None:
    return service.reads.state(receiver.received[0].id)


def test_worker_that_dies_after_the_end_of_a_job_loses_no_delivery(service: Service, receiver: Receiver):
    id = submit(service, receiver, "quick")
    first = service.worker(more=["-Q", "default"], env=ENV)
    wait_until(lambda: service.reads.state(id) is State.SUCCEEDED)
    first.kill_group()
    assert receiver.received == []
    assert service.reads.depth(WEBHOOK_QUEUE) == 1

    service.worker(env=ENV)

    wait_until(lambda: receiver.received and delivery_state(service, receiver) is State.SUCCEEDED)
    [received] = receiver.received
    assert is_genuine(SECRET, received)
    assert received.event["data"]["id"] == id


def test_job_that_kills_its_worker_too_often_is_told_of_once(service: Service, receiver: Receiver):
    [id] = service.submit(
        "die",
        "job",
        max_crashes=2,
        hook=hook_of(service.broker, {"webhook": {"url": receiver.url}}, may_sign=True),
    )

    service.supervise(lambda: bool(receiver.received), threads=2, env=ENV)

    wait_until(lambda: delivery_state(service, receiver) is State.SUCCEEDED)
    [received] = receiver.received
    assert (received.event["type"], received.event["data"]["id"]) == ("job.dead", id)


def test_worker_that_dies_while_it_delivers_delivers_the_same_again(service: Service, receiver: Receiver):
    submit(service, receiver, "quick")
    receiver.hold.clear()
    worker = service.worker(env=ENV)
    wait_until(lambda: receiver.received)
    worker.kill_group()
    receiver.hold.set()

    service.worker(env=ENV)

    wait_until(lambda: delivery_state(service, receiver) is State.SUCCEEDED, timeout=20)
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    assert is_genuine(SECRET, second)
