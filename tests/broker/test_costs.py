"""What a job costs, in what no other program on the machine can change: round trips, bytes, and calls of Python.

The bounds are a tenth above what was counted. Who changes them says why; see docs/performance.md.
"""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis.connection import AbstractConnection

from tests.broker.conftest import MakeBroker, Working, an_actor
from tests.waiting import wait_until
from worker_service.jobs.states import State
from worker_service.store.scripts import verb_of

PAYLOAD = "x" * 100
BYTES_OF_SUBMIT = 560
BYTES_OF_FINISH_ITSELF, BYTES_OF_AN_OUTCOME = 100, 150
CALLS_OF_SEND = 190


class Sent:
    """Scripts that were run, and the bytes that went out for them."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Counts from now on, on all connections of this process."""
    counted, send = Sent(), AbstractConnection.send_packed_command

    def count(connection: AbstractConnection, command: Any, *args: Any, **kwargs: Any) -> None:
        packed = b"".join([command] if isinstance(command, bytes) else command)
        words = packed.split(b"\r\n", 5)
        name = words[2].decode()
        verb = verb_of([name, words[4].decode()]) if name == "EVALSHA" else None
        counted.calls[verb or name] += 1
        counted.bytes[verb or name] += len(packed)
        send(connection, command, *args, **kwargs)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", count)
    return counted


@contextmanager
def counting_calls() -> Iterator[Callable[[], int]]:
    """Calls of functions, of Python and of C, on this thread."""
    calls = [0]

    def count(_frame: Any, event: str, _arg: Any) -> None:
        if event in ("call", "c_call"):
            calls[0] += 1

    sys.setprofile(count)
    try:
        yield lambda: calls[0]
    finally:
        sys.setprofile(None)


def test_to_send_a_job_is_one_round_trip(make_broker: MakeBroker, sent: Sent) -> None:
    actor = an_actor(make_broker(), lambda _: None)
    actor.send(PAYLOAD)  # connects, and loads the script
    sent.calls.clear()
    sent.bytes.clear()
    for _ in range(10):
        actor.send(PAYLOAD)
    assert sent.calls == {"submit": 10}
    assert sent.bytes["submit"] / 10 <= BYTES_OF_SUBMIT


def test_a_job_comes_to_an_idle_process_with_the_end_of_its_wait(
    make_broker: MakeBroker, working: Working, sent: Sent
) -> None:
    """The claim was sent with the wait: a job costs one round trip to get, and one to write its end."""
    broker = make_broker()
    actor = an_actor(broker, lambda _: None)
    done = broker.store.keys.final(State.SUCCEEDED)
    with working(broker):
        for number in range(1, 4):
            actor.send(PAYLOAD)
            wait_until(lambda number=number: broker.store.client.zcard(done) == number)  # type: ignore[misc]
            wait_until(lambda: broker.process.claimer._is_lent)
        sent.calls.clear()
        actor.send(PAYLOAD)
        wait_until(lambda: sent.calls["finish"] == 1 and sent.calls["BZPOPMIN"] == 1)
    assert sent.calls["submit"] == 1
    assert sent.calls["claim"] == 0


def test_to_send_a_job_takes_so_many_calls_of_python(make_broker: MakeBroker) -> None:
    actor = an_actor(make_broker(), lambda _: None)
    actor.send(PAYLOAD)
    found = []
    for _ in range(5):
        with counting_calls() as calls:
            actor.send(PAYLOAD)
            found.append(calls())
    assert min(found) <= CALLS_OF_SEND


def test_jobs_that_wait_are_claimed_together_and_their_ends_are_written_together(
    make_broker: MakeBroker, working: Working, sent: Sent
) -> None:
    broker = make_broker(prefetch=62)
    gate = threading.Event()
    actor = an_actor(broker, lambda _: gate.wait(30))
    for _ in range(64):
        actor.send(PAYLOAD)
    with working(broker, threads=2) as worker:
        wait_until(lambda: worker.work_queue.qsize() == 62)
        claims = sent.calls["claim"]
        broker.store.client.client_pause(300, all=False)  # all end while the first of them is written
        gate.set()
        done = broker.store.keys.final(State.SUCCEEDED)
        wait_until(lambda: broker.store.client.zcard(done) == 64)
        finishes, written = sent.calls["finish"], sent.bytes["finish"]
    # One asks before the queue's consumer is there, and one more takes what came while the first was under way.
    assert claims <= 3
    assert finishes <= 3
    assert (written - finishes * BYTES_OF_FINISH_ITSELF) / 64 <= BYTES_OF_AN_OUTCOME
