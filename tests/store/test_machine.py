"""Any sequence of calls, against the real scripts: no job is lost, doubled or in two places at once.

Hypothesis makes up the sequences. A small model knows what was claimed by whom and how it ended; after every
call the whole namespace is read and compared with it.
"""

import itertools
import secrets
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.store.builders import LEASE, NOW, RUN_ID, a_job, ids
from worker_service.jobs.states import FINAL, TRANSITIONS, WAITING, State
from worker_service.store import NewJob, Outcome, SessionLost, Store, connect

QUEUES = ("a", "b")
RETENTION = dict.fromkeys((state.value for state in FINAL), (30_000, 5))
MAX_CRASHES = 2

new_jobs = st.lists(
    st.fixed_dictionaries(
        {
            "queue": st.sampled_from(QUEUES),
            "priority": st.sampled_from([-100, 0, 0, 100]),
            "delay_ms": st.sampled_from([None, None, 1, 700, 20_000]),
            "expires_in_ms": st.sampled_from([None, None, None, 500, 10_000]),
            "max_crashes": st.sampled_from([0, 1, MAX_CRASHES]),
        }
    ),
    min_size=1,
    max_size=4,
)
VERBS = {
    "complete": State.SUCCEEDED,
    "retry": State.RETRYING,
    "snooze": State.SCHEDULED,
    "dead_letter": State.DEAD,
    "hand_back": State.QUEUED,
}


@dataclass
class World:
    """What a namespace holds."""

    records: dict[str, dict[str, str]]
    places: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(id, kind of place) -> how often; the kind is the state that fits it, or `waits` for the due set."""
    tokens: dict[str, str] = field(default_factory=dict)

    def state(self, id: str) -> State | None:
        return State(self.records[id]["state"]) if id in self.records else None


def look(store: Store, sessions: set[str]) -> World:
    """Read all of it, in two round trips."""
    keys = store.keys
    zsets = {keys.jobs: ""} | {keys.final(state): state.value for state in FINAL}
    zsets |= {keys.ready(queue): "queued" for queue in QUEUES} | {keys.due(queue): "due" for queue in QUEUES}
    with store.client.pipeline() as pipe:
        for key in zsets:
            pipe.zrange(key, 0, -1)
        for session in sessions:
            pipe.hgetall(keys.running(session))
        found = pipe.execute()
        known = [id.decode() for id in found[0]]
        for id in known:
            pipe.hgetall(keys.job(id))
        records = pipe.execute()
    world = World({id: _text(record) for id, record in zip(known, records, strict=True)})
    for kind, members in zip(zsets.values(), found[: len(zsets)], strict=True):
        if kind:
            world.places.update((id.decode(), kind) for id in members)
    for held in map(_text, found[len(zsets) :]):
        world.places.update((id, "running") for id in held)
        world.tokens.update(held)
    return world


def _text(fields: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in fields.items()}


def place_of(state: State) -> str:
    return "due" if state in (State.SCHEDULED, State.RETRYING) else state.value


def may_become(verb: str, before: State | None, after: State) -> bool:
    """Whether one run of a script may move a job so; a claim may promote and take it."""
    moves = TRANSITIONS.get(verb, frozenset())
    reached, added = {before}, True
    while added:
        added = False
        for source, target in moves:
            if source in reached and target not in reached:
                reached.add(target)
                added = True
    return after in reached


class Machine(RuleBasedStateMachine):
    """The calls that clients, workers and keepers make, in any order, each perhaps repeated."""

    sessions = Bundle("sessions")
    tokens = Bundle("tokens")
    jobs = Bundle("jobs")

    def __init__(self, url: str) -> None:
        super().__init__()
        self.client = connect(url)
        self.store = Store(self.client, f"m-{secrets.token_hex(6)}")
        self.now = NOW
        self.numbers = itertools.count(1)
        self.open: set[str] = set()
        self.ever: set[str] = set()
        self.held: dict[str, str] = {}
        """token -> id"""
        self.ended: dict[str, str] = {}
        """token -> id, of deliveries whose end was recorded by finish"""
        self.verb = ""
        self.before = World({})
        self.world = World({})

    def teardown(self) -> None:
        keys = list(self.client.scan_iter(match=self.store.keys.prefix + "*", count=1000))
        if keys:
            self.client.unlink(*keys)
        self.client.close()

    def did(self, verb: str) -> None:
        """Look at what a call of this script changed; `invariant` compares."""
        self.verb, self.before = verb, self.world
        self.world = look(self.store, self.ever)

    # What may be called.

    @rule(target=jobs, wanted=new_jobs, twice=st.booleans())
    def submit(self, wanted: list[dict[str, object]], twice: bool) -> object:
        made = [a_job(f"j{next(self.numbers)}", **fields) for fields in wanted]
        assert self.store.submit(made, now_ms=self.now) == ["created"] * len(made)
        if twice:
            assert self.store.submit(made, now_ms=self.now + 1) == ["exists"] * len(made)
        self.did("submit")
        for job in made:
            later = job.delay_ms is not None
            assert self.world.state(job.id) is (State.SCHEDULED if later else State.QUEUED)
        return multiple(*(job.id for job in made))

    @rule(target=sessions, twice=st.booleans())
    def open_session(self, twice: bool) -> str:
        session = f"s{next(self.numbers)}"
        for _ in range(1 + twice):
            self.store.open_session(session, LEASE, {}, now_ms=self.now)
        self.open.add(session)
        self.ever.add(session)
        self.did("open_session")
        return session

    @rule(session=sessions)
    def extend(self, session: str) -> None:
        if session in self.open:
            self.store.extend(session, LEASE, now_ms=self.now)
        else:
            with pytest.raises(SessionLost):
                self.store.extend(session, LEASE, now_ms=self.now)
        self.did("extend")

    @rule(
        target=tokens,
        session=sessions,
        n=st.integers(1, 5),
        queues=st.permutations(QUEUES),
        suspects=st.integers(0, 1),
        times=st.integers(1, 2),
    )
    def claim(self, session: str, n: int, queues: list[str], suspects: int, times: int) -> object:
        nonce = str(next(self.numbers))
        if session not in self.open:
            with pytest.raises(SessionLost):
                self.store.claim(session, nonce, n, queues, suspects=suspects, now_ms=self.now)
            self.did("claim")
            return multiple()
        first = self.store.claim(session, nonce, n, queues, suspects=suspects, now_ms=self.now).jobs
        for later in range(1, times):
            again = self.store.claim(session, nonce, n, queues, now_ms=self.now + later * 60_000)
            assert again.jobs == first
        self.did("claim")
        assert len(first) <= n
        assert sum(job.crashes > 0 for job in first) <= suspects
        for queue in QUEUES:
            priorities = [int(self.world.records[job.id]["priority"]) for job in first if job.queue == queue]
            assert priorities == sorted(priorities)
        for job in first:
            old = self.before.records[job.id]
            assert job.id not in self.held.values()
            assert State(old["state"]) in WAITING
            assert int(old.get("due_at", 0)) <= self.now or old["state"] == "queued"
            assert int(old.get("expires_at", self.now + 1)) > self.now
            assert job.token == f"{session}:{int(old.get('deliveries', 0)) + 1}"
            assert (job.attempts, job.crashes) == (int(old.get("attempts", 0)), int(old.get("crashes", 0)))
            self.held[job.token] = job.id
        return multiple(*(job.token for job in first))

    @rule(
        target=jobs,
        token=tokens,
        verb=st.sampled_from(sorted(VERBS)),
        delay=st.sampled_from([0, 300, 20_000]),
        follow_up=st.booleans(),
        twice=st.booleans(),
    )
    def finish(self, token: str, verb: str, delay: int, follow_up: bool, twice: bool) -> object:
        id = self.held.get(token) or self.ended.get(token) or "j1"
        next_ones: list[NewJob] = [a_job(f"j{next(self.numbers)}", queue="a")] if follow_up else []
        outcome = Outcome(id, token, verb, delay_ms=delay, error="{}", result="1", follow_ups=next_ones)
        holds = self.held.get(token) == id

        (word,) = self.store.finish([outcome], now_ms=self.now)
        if twice and word == "done":
            assert self.store.finish([outcome], now_ms=self.now + 9) == ["already"]
        self.did("finish")

        assert (word == "done") == holds
        if not holds:
            assert word in ("already", "stale")
            assert word == "stale" or token in self.ended
            assert self.world == self.before
            return multiple()
        self.ended[token] = self.held.pop(token)
        assert self.world.state(id) is VERBS[verb]
        charged = int(verb in ("retry", "dead_letter"))
        old, new = self.before.records[id], self.world.records[id]
        assert int(new.get("attempts", 0)) == int(old.get("attempts", 0)) + charged
        assert new.get("crashes") == old.get("crashes")
        self.only_changed({id, *(job.id for job in next_ones)})
        return multiple(*(job.id for job in next_ones))

    @rule(session=sessions, knows=st.booleans(), started=st.sets(st.integers(0, 4)), hangs=st.booleans())
    def rescue_named(self, session: str, knows: bool, started: set[int], hangs: bool) -> None:
        mine = [id for token, id in self.held.items() if token.startswith(session + ":")]
        ran = [id for number, id in enumerate(mine) if number in started or not knows]
        overdue = ran[0] if hangs and ran and knows else ""

        done = self.store.rescue(
            LEASE, "", session=session, started=ran if knows else None, overdue=overdue, now_ms=self.now
        )
        self.did("rescue")

        assert done.jobs == (len(mine) if session in self.open else 0)
        suspects = [id for id in ran if int(self.before.records[id].get("crashes", 0))]
        to_charge = [overdue] if overdue else suspects or ran
        for id in mine:
            old, new = self.before.records[id], self.world.records[id]
            crashes = int(old.get("crashes", 0)) + (id in to_charge)
            assert int(new.get("crashes", 0)) == crashes
            most = int(old["max_crashes"])
            if id not in ran or (overdue and id != overdue):
                assert new["state"] == "queued"
            elif most == 0 or (id in to_charge and crashes >= most):
                assert new["state"] == "dead"
            else:
                assert new["state"] == "retrying"
        self.only_changed(set(mine))
        self.forget(session)

    @rule()
    def rescue_lost(self) -> None:
        lost = [s for s in self.open if self.store.client.zscore(self.store.keys.sessions, s) <= self.now]  # type: ignore[operator]
        done = self.store.rescue(LEASE, RUN_ID, now_ms=self.now)
        self.did("rescue")
        if done.holding:
            assert self.world == self.before
            return
        for session in lost:
            self.forget(session)

    @rule(session=consumes(sessions))
    def close_session(self, session: str) -> None:
        mine = {id for token, id in self.held.items() if token.startswith(session + ":")}
        self.store.close_session(session, now_ms=self.now)
        self.did("close_session")
        assert {self.world.state(id) for id in mine} <= {State.QUEUED}
        self.only_changed(mine)
        self.forget(session)

    @rule(id=jobs, twice=st.booleans())
    def cancel(self, id: str, twice: bool) -> None:
        state = self.world.state(id)
        word = self.store.cancel(id, now_ms=self.now)
        if twice:
            assert self.store.cancel(id, now_ms=self.now + 1) == word
        self.did("cancel")
        if state is None:
            assert word == "unknown"
        elif state in WAITING or state is State.CANCELLED:
            assert word == "cancelled"
            assert self.world.state(id) is State.CANCELLED
        else:
            assert word == ("running" if state is State.RUNNING else "finished")
        self.only_changed({id} if state in WAITING else set())

    @rule()
    def prune(self) -> None:
        removed, _ = self.store.prune(RETENTION, now_ms=self.now)
        self.did("prune")
        gone = self.before.records.keys() - self.world.records.keys()
        assert len(gone) == removed
        assert {self.before.state(id) for id in gone} <= FINAL
        self.only_changed(gone)

    @rule(ms=st.sampled_from([1, 250, 500, 3_000, LEASE, 60_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @precondition(lambda self: self.world.records)
    @rule()
    def rescuers_work_for_a_while(self) -> None:
        """So that a lease may run out while somebody watches, as it does in production."""
        for _ in range(11):
            self.now += LEASE // 5
            self.rescue_lost()

    # What must hold.

    @invariant()
    def every_job_is_in_exactly_the_place_of_its_state(self) -> None:
        expected = Counter(
            (id, place_of(State(record["state"]))) for id, record in self.world.records.items()
        )
        assert self.world.places == expected

    @invariant()
    def running_jobs_are_those_handed_out_under_their_tokens(self) -> None:
        assert {token: id for id, token in self.world.tokens.items()} == self.held
        for id, record in self.world.records.items():
            assert record.get("token") == self.world.tokens.get(id)

    @invariant()
    def jobs_move_only_as_the_table_allows(self) -> None:
        for id in self.world.records:
            before, after = self.before.state(id), self.world.state(id)
            assert after is not None
            if before is not after:
                assert may_become(self.verb, before, after), f"{self.verb}: {before} -> {after}"

    @invariant()
    def delivery_numbers_grow(self) -> None:
        for id, record in self.world.records.items():
            before = int(self.before.records.get(id, {}).get("deliveries", 0))
            assert 0 <= int(record.get("deliveries", 0)) - before <= 1

    @invariant()
    def queued_work_is_never_without_a_mark_unless_a_claimer_knows(self) -> None:
        for queue in QUEUES:
            if ids(self.store, self.store.keys.ready(queue)):
                assert self.store.client.exists(self.store.keys.wake(queue))

    def only_changed(self, allowed: set[str]) -> None:
        for id in self.before.records.keys() | self.world.records.keys():
            if id not in allowed:
                assert self.before.records.get(id) == self.world.records.get(id)

    def forget(self, session: str) -> None:
        self.open.discard(session)
        for token in [token for token in self.held if token.startswith(session + ":")]:
            del self.held[token]


def run(url: str, examples: int, steps: int, *, derandomize: bool) -> None:
    machine: Any = partial(Machine, url)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=derandomize,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_sequence_of_calls_loses_or_doubles_a_job(redis_url: str):
    run(redis_url, 50, 40, derandomize=True)


@pytest.mark.soak
def test_no_long_sequence_of_calls_loses_or_doubles_a_job(redis_url: str):
    run(redis_url, 1_500, 80, derandomize=False)
