"""What `jobs tail` tells of all jobs, and what it leaves out."""

import dramatiq

from tests.console.conftest import Run
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.client import Client
from worker_service.console import following
from worker_service.console.following import Follower, line
from worker_service.console.service import service


def states(follower: Follower) -> dict[str, str]:
    return {job["id"]: job["state"] for job in follower.changed()}


def test_new_ones_and_those_in_another_state_are_told_once(run: Run, broker: JobBroker):
    with service() as client:
        old = broker.actors["add"].send(1).message_id
        follower = Follower(client)
        assert states(follower) == {old: "queued"}
        new = broker.actors["add"].send(2).message_id
        assert states(follower) == {new: "queued"}
        client.cancel(old)
        assert states(follower) == {old: "cancelled"}
        assert states(follower) == {}


def test_others_are_left_out_by_queue_and_actor(run: Run, broker: JobBroker):
    broker.actors["add"].send(1)
    meant = broker.actors["greet"].send("Ann").message_id
    with service() as client:
        assert states(Follower(client, actor="greet")) == {meant: "queued"}
        assert states(Follower(client, queue="another")) == {}


def test_job_that_fails_for_good_is_told_with_its_error(run: Run, broker: JobBroker, worker: dramatiq.Worker):
    with service() as client:
        follower = Follower(client)
        follower.changed()
        id = broker.actors["fail"].send("no  bank\ntoday").message_id
        client.wait(id)
        found = {job["id"]: job for job in follower.changed()}
        assert line(found[id]).endswith(f"dead       fail  default  {id}  PermanentError: no bank today")


def test_end_of_one_that_ran_is_told_however_many_came_after_it(
    run: Run, broker: JobBroker, worker: dramatiq.Worker, monkeypatch
):
    monkeypatch.setattr(following, "NEWEST", 3)
    with service() as client:
        follower = Follower(client)
        follower.changed()
        slow = broker.actors["hang"].send().message_id
        wait_until(lambda: client.get(slow).state == "running")
        follower.changed()
        _submit(client, 5)
        client.cancel(slow)
        client.wait(slow)
        assert states(follower)[slow] == "cancelled"


def test_old_dead_ones_that_come_into_sight_are_no_news(
    run: Run, broker: JobBroker, worker: dramatiq.Worker, monkeypatch
):
    monkeypatch.setattr(following, "NEWEST", 1)
    with service() as client:
        for _ in range(2):
            client.wait(broker.actors["fail"].send("x").message_id)
        follower = Follower(client)
        (newest,) = [id for id, state in states(follower).items() if state == "dead"]
        client.delete(newest)
        assert states(follower) == {}


def _submit(client: Client, number: int) -> None:
    client.submit_many({"actor": "add", "args": {"x": 1}, "delay_ms": 3_600_000} for _ in range(number))
