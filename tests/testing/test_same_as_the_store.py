"""Simulated jobs fare as those in Redis: the same calls, in random order, get the same answers from both.

Not compared are the ends of windows: those are the server's own, which no test can move.
"""

import random
from collections.abc import Iterator

import pytest

from worker_service.store import ClaimedJob, Lock, NewJob, Outcome, Queries, Store, connect
from worker_service.testing.clock import Clock
from worker_service.testing.memory import Memory

QUEUES = ("a", "b")
LEASE = 15_000
CALLS = 60


class Both:
    """The real store and the simulated one, told the same."""

    def __init__(self, url: str, namespace: str, chance: random.Random) -> None:
        self.client = connect(url)
        self.store = Store(self.client, namespace)
        self.reads = Queries(self.client, namespace)
        self.clock = Clock()
        self.memory = Memory(self.clock, lambda _: None)
        self.chance = chance
        self.numbers = iter(range(1_000_000))
        self.held: list[tuple[str, ClaimedJob, ClaimedJob]] = []

    def new(self, number: int) -> NewJob:
        pick, maybe = self.chance.choice, self.chance.random
        on_conflict = pick(["return", "reject", "replace", "debounce", "keep_last"])
        lasts_for = ["done", "success", "start", "5000000"]
        until = pick(lasts_for[:1] + lasts_for[2:3]) if on_conflict == "keep_last" else pick(lasts_for)
        lock = Lock(pick(["k1", "k2"]), until, on_conflict, pick([None, 500]), is_fixed=maybe() < 0.1)
        return NewJob(
            id=f"job-{number}",
            queue=pick(QUEUES),
            actor="work",
            message=b'{"args":[%d],"kwargs":{},"options":{}}' % number,
            priority=pick([0, 0, -1, 5]),
            delay_ms=pick([None, None, 100, 3_000]),
            expires_in_ms=pick([None, None, None, 2_000]),
            max_attempts=3,
            max_crashes=pick([0, 1, 3]),
            lock=lock if maybe() < 0.6 else None,
        )

    def submit(self) -> None:
        new = self.new(next(self.numbers))
        [real] = self.store.submit([new], now_ms=self.clock.now_ms)
        [simulated] = self.memory.submit([new])
        assert real == simulated

    def claim(self) -> None:
        session = f"s{next(self.numbers)}"
        self.store.open_session(session, 10**9, {}, now_ms=self.clock.now_ms)
        queue = self.chance.choice(QUEUES)
        got = self.store.claim(session, session, 1, [queue], now_ms=self.clock.now_ms)
        simulated = self.memory.claim(queue=queue)
        assert [job.id for job in got.jobs] == ([] if simulated is None else [simulated.id])
        if simulated is not None:
            [real] = got.jobs
            assert about(real) == about(simulated)
            self.held.append((session, real, simulated))

    def finish(self) -> None:
        if not self.held:
            return
        session, real, simulated = self.held.pop(self.chance.randrange(len(self.held)))
        verb = self.chance.choice(["complete", "retry", "snooze", "dead_letter", "cancel", "crash"])
        if verb == "crash":
            self.store.rescue(LEASE, "run", session=session, started=[real.id], now_ms=self.clock.now_ms)
            self.memory.crash(simulated.id)
            return
        follow = [self.new(next(self.numbers))] if self.chance.random() < 0.3 else []
        given = Outcome(real.id, real.token, verb, delay_ms=700, reason="why", follow_ups=follow)
        assert self.store.finish([given], now_ms=self.clock.now_ms) == ["done"]
        self.memory.finish(given)

    def pass_time(self) -> None:
        self.clock.advance(milliseconds=self.chance.choice([1, 99, 100, 1_000, 5_000, 11_000]))

    def compare(self) -> None:
        for job in self.memory.jobs.values():
            real = self.reads.job(job.id)
            assert real is not None
            assert (real.id, real.state, real.attempts, real.crashes) == (
                job.id,
                job.state,
                job.attempts,
                job.crashes,
            )


def about(job: ClaimedJob) -> tuple[object, ...]:
    return job.attempts, job.crashes, job.max_attempts, job.snoozes, job.snoozed_ms, job.message


@pytest.fixture(params=range(8))
def both(request: pytest.FixtureRequest, redis_url: str, namespace: str) -> Iterator[Both]:
    made = Both(redis_url, namespace, random.Random(request.param))
    yield made
    made.client.close()


def test_same_calls_get_the_same_answers(both: Both):
    for _ in range(CALLS):
        call = both.chance.choice([both.submit, both.submit, both.claim, both.finish, both.pass_time])
        call()
        both.compare()
