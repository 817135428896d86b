"""The claim that an idle process leaves with the server, for the moment a job comes."""

import threading
from collections import Counter

import pytest

from tests.broker.conftest import MakeBroker, Working, an_actor
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.jobs.states import State


def connections_that_wait(broker: JobBroker) -> list[str]:
    return [each["addr"] for each in broker.store.client.client_list() if each["cmd"] == "bzpopmin"]


def test_jobs_run_once_while_connections_are_lost_with_the_answers(make_broker: MakeBroker, working: Working):
    broker, ran = make_broker(), Counter[int]()
    over = threading.Event()

    def cut() -> None:
        while not over.wait(0.01):
            for address in connections_that_wait(broker):
                broker.store.client.client_kill(address)

    actor = an_actor(broker, lambda number: ran.update([number]))
    cutting = threading.Thread(target=cut)
    with working(broker, threads=2):
        cutting.start()
        sent = [actor.send(number) for number in range(30) if not over.wait(0.02)]
        over.set()
        cutting.join()
        wait_until(lambda: all(broker.reads.state(each.message_id) is State.SUCCEEDED for each in sent))
    assert ran == Counter(range(30))


def test_a_process_that_takes_no_more_jobs_leaves_no_order_behind(make_broker: MakeBroker, working: Working):
    broker, ran = make_broker(), list[str]()
    actor = an_actor(broker, ran.append)
    with working(broker):
        actor.send("first")
        wait_until(lambda: ran == ["first"] and broker.process.claimer._is_lent)
        broker.process.claimer.stop()
        wait_until(lambda: not broker.process.claimer._is_lent)
        second = actor.send("second")
        broker.store.client.zadd(broker.store.keys.wake("default"), {"w": 0})
        assert broker.store.client.zcard(broker.store.keys.ready("default")) == 1
    assert broker.reads.state(second.message_id) is State.QUEUED
    assert ran == ["first"]


def test_jobs_that_come_together_are_not_run_one_after_the_other(make_broker: MakeBroker, working: Working):
    broker, together = make_broker(), threading.Barrier(8)
    actor = an_actor(broker, lambda: together.wait(20) and None, max_attempts=1)
    with working(broker, threads=8):
        wait_until(lambda: broker.process.claimer._is_lent)
        sent = [actor.send() for _ in range(8)]
        wait_until(lambda: all(broker.reads.state(each.message_id) is State.SUCCEEDED for each in sent))


def test_the_only_thread_is_free_again_after_a_message_that_cannot_be_read(
    make_broker: MakeBroker, working: Working
):
    broker, ran = make_broker(), list[str]()
    actor = an_actor(broker, ran.append)
    with working(broker, threads=1):
        wait_until(lambda: broker.process.claimer._is_lent)
        bad = actor.send_with_options(args=("bad",), delay=300)
        broker.store.client.set(broker.store.keys.msg(bad.message_id), b"{}")
        wait_until(lambda: broker.reads.state(bad.message_id) is State.DEAD)
        actor.send("good")
        wait_until(lambda: ran == ["good"])


def test_right_to_claim_is_taken_back_from_a_listener_that_is_not_heard_of(
    make_broker: MakeBroker, working: Working, monkeypatch: pytest.MonkeyPatch
):
    broker, ran = make_broker(), list[int]()
    actor = an_actor(broker, ran.append)
    with working(broker):
        wait_until(lambda: broker.process.claimer._is_lent)
        monkeypatch.setattr(broker.process.session, "ring", lambda: None)  # as over a connection that is dead
        sent = [actor.send_with_options(args=(number,), delay=300 + number) for number in range(4)]
        wait_until(lambda: all(broker.reads.state(each.message_id) is State.SUCCEEDED for each in sent))
        monkeypatch.undo()
        broker.process.session.ring()
        wait_until(lambda: broker.process.claimer._is_lent)
        actor.send(4)
        wait_until(lambda: len(ran) == 5)
    assert sorted(ran) == list(range(5))
