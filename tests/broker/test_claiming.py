"""What a worker takes, how much of it, and when."""

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import dramatiq
import pytest

from tests.broker.conftest import MakeBroker, Working, an_actor
from tests.waiting import wait_until
from worker_service.broker.broker import JobBroker
from worker_service.broker.proxy import JobProxy
from worker_service.embedded import EmbeddedServer
from worker_service.jobs.states import State
from worker_service.store import Outcome, connect


class Gate:
    """An actor's body that notes its start and waits until it is let through."""

    def __init__(self) -> None:
        self.started: list[Any] = []
        self.passed = 0
        self._open = threading.Semaphore(0)
        self._counting = threading.Lock()

    def __call__(self, what: Any = None) -> None:
        self.started.append(what)
        assert self._open.acquire(timeout=20)
        with self._counting:
            self.passed += 1

    def let_through(self, many: int = 1_000) -> None:
        self._open.release(many)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.let_through()


class TestLastChance:
    """A job that the next crash would end runs alone."""

    def test_nothing_starts_beside_it_and_what_runs_goes_on(
        self, broker: JobBroker, working: Working, gate: Gate, monkeypatch: pytest.MonkeyPatch
    ):
        before, suspect = Gate(), Gate()
        beside = an_actor(broker, before, "before")
        suspected = an_actor(broker, suspect, "suspect")
        after = an_actor(broker, gate, "after")
        with working(broker, threads=4):
            beside.send()
            wait_until(lambda: before.started)
            id = suspected.send_with_options(delay=500).message_id
            broker.store.client.hset(broker.store.keys.job(id), "crashes", 2)
            wait_until(lambda: suspect.started)
            for _ in range(3):
                after.send()
            before.let_through()  # a thread is free, and claims again
            wait_until(lambda: broker.reads.totals("before").get("succeeded") == 1)
            wait_until(lambda: not broker.process.claimer._has_room())
            assert gate.started == []
            written = self.hold_up_completions(broker, monkeypatch)
            suspect.let_through()
            wait_until(lambda: broker.process.interrupts.running() == [])
            assert not broker.process.claimer._has_room()  # its end is not yet written
            written.set()
            wait_until(lambda: len(gate.started) == 3)
            gate.let_through()

    def hold_up_completions(self, broker: JobBroker, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
        """Until the event is set nothing is written."""
        completions, go_on = broker.process.completions, threading.Event()
        finish = completions._finish

        def wait(batch: list[Outcome]) -> list[str]:
            assert go_on.wait(20)
            return finish(batch)

        monkeypatch.setattr(completions, "_finish", wait)
        return go_on


class TestOrder:
    def test_priority_comes_first_then_arrival(self, broker: JobBroker, working: Working):
        ran: list[str] = []

        @dramatiq.actor(broker=broker)
        def note(name: str) -> None:
            ran.append(name)

        for name, priority in [("c", 0), ("e", 50), ("a", -50), ("d", 0), ("b", -1)]:
            note.send_with_options(args=(name,), priority=priority)
        with working(broker, threads=1):
            broker.join("default", timeout=10_000)

        assert ran == ["a", "b", "c", "d", "e"]

    def test_urgent_job_overtakes_those_that_wait(self, broker: JobBroker, working: Working, gate: Gate):
        actor = an_actor(broker, gate)
        for name in ("first", "second"):
            actor.send(name)
        with working(broker, threads=1):
            wait_until(lambda: gate.started == ["first"])
            actor.send_with_options(args=("urgent",), priority=-100)
            gate.let_through()
            broker.join("default", timeout=10_000)

        assert gate.started == ["first", "urgent", "second"]

    def test_two_queues_take_turns(self, broker: JobBroker, working: Working):
        ran: list[str] = []
        left = an_actor(broker, ran.append, "left", queue_name="left")
        right = an_actor(broker, ran.append, "right", queue_name="right")
        for _ in range(10):
            left.send("left")
            right.send("right")

        with working(broker, threads=1):
            for queue in ("left", "right"):
                broker.join(queue, timeout=10_000)

        longest = max(len(list(same)) for _, same in itertools.groupby(ran))
        assert Counter(ran) == {"left": 10, "right": 10}
        assert longest <= 2, ran

    def test_only_queues_asked_for_are_consumed(self, broker: JobBroker, working: Working):
        left = an_actor(broker, lambda: None, "left", queue_name="left")
        right = an_actor(broker, lambda: None, "right", queue_name="right")
        mine, other = left.send(), right.send()

        with working(broker, queues={"left"}):
            assert broker.reads.wait_until_final(mine.message_id, timeout=10)

        assert broker.reads.state(other.message_id) is State.QUEUED

    def test_queue_declared_while_the_worker_runs_is_consumed(self, broker: JobBroker, working: Working):
        an_actor(broker, lambda: None, "early")
        with working(broker):
            late = an_actor(broker, lambda: "ran", "late", queue_name="late")

            job = broker.reads.wait_until_final(late.send().message_id, timeout=10)

        assert job is not None
        assert job.result == "ran"


class TestHowMuch:
    def test_no_more_is_held_than_there_are_threads(self, broker: JobBroker, working: Working, gate: Gate):
        slow = an_actor(broker, gate, "slow")
        for number in range(100):
            slow.send(number)
        with working(broker, threads=8):
            for let_through in range(0, 90, 3):
                wait_until(lambda: len(gate.started) == let_through + 8)  # noqa: B023 - waits here
                gate.let_through(3)
                claimed = broker.reads.totals("slow")["started"]
                assert claimed <= gate.passed + 8
            wait_until(lambda: broker.reads.running() == 8)
            gate.let_through()
            broker.join("default", timeout=10_000)

        assert sorted(gate.started) == list(range(100))

    def test_prefetch_is_held_beyond_them(self, make_broker: MakeBroker, working: Working, gate: Gate):
        broker = make_broker(prefetch=3)
        slow = an_actor(broker, gate, "slow")
        for number in range(20):
            slow.send(number)
        with working(broker, threads=2):
            wait_until(lambda: broker.reads.running() == 5)
            wait_until(lambda: len(gate.started) == 2)
            gate.let_through()

    def test_unstarted_jobs_go_back_to_their_places_when_the_worker_stops(
        self, make_broker: MakeBroker, working: Working, gate: Gate
    ):
        broker = make_broker(prefetch=3)
        slow = an_actor(broker, gate, "slow")
        messages = [slow.send(number) for number in range(6)]
        with working(broker, threads=1) as worker:
            wait_until(lambda: gate.started and worker.work_queue.qsize() == 3)
            stopping = threading.Thread(target=worker.stop)
            stopping.start()
            wait_until(lambda: broker.reads.running() == 1)
            gate.let_through()
            stopping.join(10)

        assert gate.started == [0]
        assert broker.reads.waiting("default") == [message.message_id for message in messages[1:]]
        assert broker.reads.state(messages[0].message_id) is State.SUCCEEDED
        assert broker.reads.sessions() == set()

    def test_two_workers_share_what_there_is(self, make_broker: MakeBroker, working: Working):
        ran: Counter[str] = Counter()
        brokers = {"one": make_broker(), "two": make_broker()}
        for name, broker in brokers.items():

            def work(name: str = name) -> None:
                ran[name] += 1
                time.sleep(0.005)  # the work

            an_actor(broker, work)
        sender = make_broker()
        actor = an_actor(sender, lambda name="": None)
        with working(brokers["one"], threads=2), working(brokers["two"], threads=2):
            wait_until(lambda: len(sender.reads.sessions()) == 2)
            for _ in range(100):
                actor.send()
            sender.join("default", timeout=20_000)

        assert sum(ran.values()) == 100
        assert min(ran.values()) >= 30, ran

    def test_busy_worker_leaves_new_jobs_to_an_idle_one(
        self, make_broker: MakeBroker, working: Working, gate: Gate
    ):
        busy, idle = make_broker(), make_broker()
        hold = an_actor(busy, gate, "hold")
        an_actor(busy, lambda: None, "quick")
        an_actor(idle, gate, "hold")
        quick = an_actor(idle, lambda: None, "quick")
        with working(busy, threads=1):
            hold.send()
            wait_until(lambda: gate.started)
            with working(idle, threads=1):
                wait_until(lambda: len(idle.reads.sessions()) == 2)
                for _ in range(5):
                    started = time.monotonic()
                    job = idle.reads.wait_until_final(quick.send().message_id, timeout=10)
                    assert job is not None
                    assert job.state is State.SUCCEEDED
                    assert time.monotonic() - started < 2
            gate.let_through()


class TestWhen:
    @pytest.mark.bound
    def test_idle_worker_starts_a_new_job_at_once(self, broker: JobBroker, working: Working):
        actor = an_actor(broker, lambda: None)
        with working(broker):
            broker.reads.wait_until_final(actor.send().message_id, timeout=10)
            waits = []
            for _ in range(20):
                message = actor.send()
                job = broker.reads.wait_until_final(message.message_id, timeout=10)
                assert job is not None
                assert job.started_at_ms is not None
                waits.append(job.started_at_ms - job.created_at_ms)

        assert sorted(waits)[10] < 50, waits

    def test_job_behind_a_burst_that_just_ended_starts_at_once(self, broker: JobBroker, working: Working):
        """While jobs are known to wait nobody listens for new ones; the end of that must not be missed."""

        def has_ended(many: int) -> bool:
            return broker.store.client.zcard(broker.store.keys.final(State.SUCCEEDED)) == many

        actor = an_actor(broker, lambda: None)
        sent = 0
        with working(broker, threads=2):
            for burst in itertools.islice(itertools.cycle((1, 2, 3, 4, 5)), 40):
                for many in (burst, 1):
                    for _ in range(many):
                        actor.send()
                    sent += many
                    # Well below the ten seconds after which the listener looks again anyhow.
                    wait_until(partial(has_ended, sent), timeout=5)

    def test_job_starts_when_it_is_due(self, broker: JobBroker, working: Working):
        actor = an_actor(broker, lambda: None)
        with working(broker):
            messages = [actor.send_with_options(delay=delay) for delay in (400, 200, 300)]
            jobs = [broker.reads.wait_until_final(message.message_id, timeout=10) for message in messages]

        late = [
            job.started_at_ms - job.due_at_ms for job in jobs if job and job.started_at_ms and job.due_at_ms
        ]
        assert len(late) == 3
        assert min(late) >= 0
        assert max(late) < 1_000

    def test_expired_job_never_starts(self, broker: JobBroker, working: Working):
        ran: list[str] = []
        actor = an_actor(broker, ran.append)
        late = actor.send_with_options(args=("late",), expires_in=1)
        sent = broker.reads.job(late.message_id)
        assert sent is not None
        assert sent.expires_at_ms is not None
        deadline = sent.expires_at_ms
        wait_until(lambda: time.time() * 1000 > deadline)
        with working(broker):
            job = broker.reads.wait_until_final(late.message_id, timeout=10)

        assert job is not None
        assert (job.state, ran) == (State.EXPIRED, [])


class TestDamage:
    def test_message_that_cannot_be_read_is_buried_and_the_next_one_runs(
        self, broker: JobBroker, working: Working
    ):
        actor = an_actor(broker, lambda: "ran")
        fields = actor.message().asdict()
        wrong: list[dict[str, Any]] = [
            {"actor_name": []},
            {"options": None},
            {"args": 1},
            {"message_timestamp": "now"},
        ]
        damages = [
            b"",
            b"\x80\x04pickled",
            b"{}",
            b"[]",
            b"null",
            b"[" * 100_000,
            b'{"args":[],"options":[]}',
        ]
        damages += [json.dumps({**fields, **one}).encode() for one in wrong]
        damaged = [actor.send() for _ in damages]
        for message, damage in zip(damaged, damages, strict=True):
            broker.store.client.set(broker.store.keys.msg(message.message_id), damage)
        good = actor.send()

        with working(broker, threads=1):
            job = broker.reads.wait_until_final(good.message_id, timeout=10)
            jobs = [broker.reads.wait_until_final(message.message_id, timeout=10) for message in damaged]

        assert job is not None
        assert job.result == "ran"
        assert [(found.state, found.reason, found.attempts) for found in jobs if found] == [
            (State.DEAD, "bad_message", 0)
        ] * len(damages)

    def test_outcome_that_cannot_be_written_buries_its_job_only(
        self, broker: JobBroker, working: Working, monkeypatch: pytest.MonkeyPatch
    ):
        actor = an_actor(broker, lambda: "ran")
        id, outcome = actor.send().message_id, JobProxy.outcome

        def unwritable(job: JobProxy) -> Outcome:
            found = outcome(job)
            if job.message_id == id:
                found.verb = "no such verb"
            return found

        monkeypatch.setattr(JobProxy, "outcome", unwritable)
        good = actor.send()

        with working(broker):
            bad, fine = (
                broker.reads.wait_until_final(wanted, timeout=10) for wanted in (id, good.message_id)
            )

        assert bad is not None
        assert fine is not None
        assert (bad.state, bad.reason) == (State.DEAD, "finish_failed")
        assert fine.state is State.SUCCEEDED


class TestFarAway:
    def test_job_of_the_next_millennium_stops_nobody(self, broker: JobBroker, working: Working):
        actor = an_actor(broker, lambda: "ran")
        far = actor.send().message_id
        broker.store.client.zadd(
            broker.store.keys.due("default"), {far: 253_402_300_799_000}
        )  # the year 9999
        broker.store.client.hset(broker.store.keys.job(far), "state", "scheduled")
        broker.store.client.zrem(broker.store.keys.ready("default"), far)
        with working(broker):
            for _ in range(2):
                job = broker.reads.wait_until_final(actor.send().message_id, timeout=10)
                assert job is not None
                assert job.result == "ran"


class TestPaused:
    def test_worker_waits_for_the_queue_to_be_resumed(self, broker: JobBroker, working: Working):
        actor = an_actor(broker, lambda: "ran")
        broker.store.pause("default", "for a test", 0)
        paused = actor.send()
        an_actor(broker, lambda: "ran", "elsewhere", queue_name="other")
        with working(broker):
            other = broker.get_actor("elsewhere").send()
            assert broker.reads.wait_until_final(other.message_id, timeout=10)
            assert broker.reads.state(paused.message_id) is State.QUEUED
            broker.store.resume("default")
            job = broker.reads.wait_until_final(paused.message_id, timeout=10)
        assert job is not None
        assert job.result == "ran"

    def test_worker_goes_on_by_itself_when_the_pause_is_over(self, broker: JobBroker, working: Working):
        actor = an_actor(broker, lambda: "ran")
        until = int(broker.store.client.time()[0]) * 1000 + 2000
        broker.store.pause("default", "for a test", 0, until)
        with working(broker):
            job = broker.reads.wait_until_final(actor.send().message_id, timeout=10)
        assert job is not None
        assert job.started_at_ms is not None
        assert until <= job.started_at_ms < until + 500


class TestIdle:
    COMMANDS = (
        "eval",
        "evalsha",
        "info",
        "bzpopmin",
        "bzpopmax",
        "ping",
        "get",
        "set",
        "client|setinfo",
        "hello",
    )

    def test_idle_worker_sends_at_most_three_commands_a_second(
        self, make_broker: MakeBroker, working: Working, server_binary: str | None
    ):
        """All of them: worker and keeper, with the lease that is the default."""
        with EmbeddedServer(binary=server_binary, appendonly=False) as server:
            broker = make_broker(url=server.url)
            an_actor(broker, lambda: None)
            client = connect(server.url)
            with working(broker):
                wait_until(lambda: broker.store.client.hexists(broker.store.keys.meta, "rescue_at"))
                wait_until(lambda: broker.process.claimer._is_lent and self.sent_in(client, 0.3) == 0)
                sent = self.sent_in(client, 3.0)
            client.close()

        assert sent <= 9

    def sent_in(self, client: Any, seconds: float) -> int:
        before = self.commands(client)
        time.sleep(seconds)  # the measurement
        return self.commands(client) - before - 1

    def commands(self, client: Any) -> int:
        stats = client.info("commandstats")
        return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in self.COMMANDS)
