"""Any sequence of calls, against the real scripts: no job is lost, doubled or in two places at once.

Hypothesis makes up the sequences. A small model knows what was claimed by whom and how it ended; after every
call the whole namespace is read and compared with it. At the end of each sequence the doctor has nothing to say.
"""

import itertools
import secrets
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.store.builders import LEASE, NOW, RUN_ID, a_job, a_schedule, fire, ids, words
from worker_service.jobs.states import FINAL, TRANSITIONS, WAITING, State
from worker_service.store import Outcome, SessionLost, Store, connect
from worker_service.store.doctor import examine

QUEUES = ("a", "b")
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

picks = st.integers(0, 9)
"""Which one of what there is at the moment."""

VERBS = {
    "complete": State.SUCCEEDED,
    "retry": State.RETRYING,
    "snooze": State.SCHEDULED,
    "dead_letter": State.DEAD,
    "hand_back": State.QUEUED,
    "cancel": State.CANCELLED,
}


class Delivery(NamedTuple):
    """A job in somebody's hands."""

    id: str
    token: str

    @property
    def session(self) -> str:
        return self.token.rpartition(":")[0]


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


def rotated(items: list[Delivery], by: int) -> list[Delivery]:
    by %= len(items)
    return items[by:] + items[:by]


def begun(record: dict[str, str]) -> bool:
    """Whether a job was started in time."""
    return bool({"attempts", "crashes", "snoozes", "began"} & record.keys())


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
    """The calls that clients, schedulers, workers and keepers make, in any order, each perhaps repeated."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.client = connect(url)
        self.store = Store(self.client, f"m-{secrets.token_hex(6)}")
        self.now = NOW
        self.numbers = itertools.count(1)
        self.last_tick = 0
        self.schedule = a_schedule(self.store)
        self.open: list[str] = []
        self.ever: list[str] = []
        self.held: set[Delivery] = set()
        self.ended: set[Delivery] = set()
        """those whose end was recorded by finish"""
        self.verb = ""
        self.before = World({})
        self.world = World({})

    def teardown(self) -> None:
        report = examine(self.client, self.store.namespace, now_ms=self.now)
        keys = list(self.client.scan_iter(match=self.store.keys.prefix + "*", count=1000))
        if keys:
            self.client.unlink(*keys)
        self.client.close()
        assert report.findings == []
        assert report.notes == []

    def did(self, verb: str) -> None:
        """Look at what a call of this script changed; the invariants compare."""
        self.verb, self.before = verb, self.world
        self.world = look(self.store, set(self.ever))

    # What may be called.

    @initialize(wanted=st.lists(new_jobs, min_size=2, max_size=2))
    def two_workers_and_some_jobs_are_there(self, wanted: list[list[dict[str, object]]]) -> None:
        self.store.check_schema()
        self.open_session(twice=False)
        self.open_session(twice=True)
        for jobs in wanted:
            self.submit(jobs, twice=False)

    @rule(wanted=new_jobs, twice=st.booleans())
    def submit(self, wanted: list[dict[str, object]], twice: bool) -> None:
        asked = [a_job(f"j{next(self.numbers)}", **fields) for fields in wanted]
        late = [(job.expires_in_ms or inf) <= (job.delay_ms or 0) for job in asked]
        made = [job for job, is_late in zip(asked, late, strict=True) if not is_late]
        expected = ["too_late" if is_late else "created" for is_late in late]
        assert words(self.store.submit(asked, now_ms=self.now)) == expected
        if twice:
            assert words(self.store.submit(made, now_ms=self.now + 1)) == ["exists"] * len(made)
        self.did("submit")
        for job in made:
            later = job.delay_ms is not None
            assert self.world.state(job.id) is (State.SCHEDULED if later else State.QUEUED)

    @rule(ahead=st.integers(-2, 2), twice=st.booleans())
    def fire(self, ahead: int, twice: bool) -> None:
        tick = (self.now // 1_000 + ahead) * 1_000
        job = a_job(f"t{tick}", queue="a", run_at_ms=tick)
        is_next = tick > self.last_tick
        assert fire(self.store, self.schedule, tick, job, now_ms=self.now) == (
            "fired" if is_next else "already"
        )
        if twice:
            assert fire(self.store, self.schedule, tick, job, now_ms=self.now + 1) == "already"
        self.did("fire")
        if is_next:
            assert self.world.state(job.id) is (State.SCHEDULED if tick > self.now else State.QUEUED)
            self.last_tick = tick
        self.only_changed({job.id} if is_next else set())

    @precondition(lambda self: len(self.open) < 3)
    @rule(twice=st.booleans())
    def open_session(self, twice: bool) -> None:
        session = f"s{next(self.numbers)}"
        for _ in range(1 + twice):
            self.store.open_session(session, LEASE, {}, now_ms=self.now)
        self.open.append(session)
        self.ever.append(session)
        self.did("open_session")

    @rule(pick=picks)
    def extend(self, pick: int) -> None:
        session = self.ever[-1 - pick % len(self.ever)]
        if session in self.open:
            self.store.extend(session, LEASE, now_ms=self.now)
        else:
            with pytest.raises(SessionLost):
                self.store.extend(session, LEASE, now_ms=self.now)
        self.did("extend")

    @precondition(lambda self: len(self.open) < len(self.ever))
    @rule(pick=picks)
    def claim_without_a_lease(self, pick: int) -> None:
        lost = sorted(set(self.ever) - set(self.open))
        with pytest.raises(SessionLost):
            self.store.claim(lost[pick % len(lost)], "1", 5, QUEUES, now_ms=self.now)
        self.did("claim")
        assert self.world == self.before

    @precondition(lambda self: self.open)
    @rule(
        pick=picks,
        n=st.integers(1, 5),
        queues=st.permutations(QUEUES),
        suspects=st.integers(0, 1),
        times=st.integers(1, 2),
    )
    def claim(self, pick: int, n: int, queues: list[str], suspects: int, times: int) -> None:
        session, nonce = self.open[pick % len(self.open)], str(next(self.numbers))
        first = self.store.claim(session, nonce, n, queues, suspects=suspects, now_ms=self.now).jobs
        for later in range(1, times):
            again = self.store.claim(session, nonce, n, queues, now_ms=self.now + later * 60_000)
            assert again.jobs == first
        self.did("claim")

        assert len(first) <= n
        assert sum(job.crashes > 0 for job in first) <= suspects
        for job in first:
            alone = 0 < job.crashes >= int(self.before.records[job.id]["max_crashes"]) - 1
            assert job.runs_alone == alone
            assert not alone or len(first) == 1
        for queue in QUEUES:
            mine = [self.world.records[job.id] for job in first if job.queue == queue]
            assert mine == sorted(mine, key=lambda record: int(record["priority"]))
        for job in first:
            old = self.before.records[job.id]
            assert job.id not in {held.id for held in self.held}
            assert State(old["state"]) in WAITING
            assert int(old.get("due_at", 0)) <= self.now or old["state"] == "queued"
            assert begun(old) or int(old.get("expires_at", self.now + 1)) > self.now
            assert job.token == f"{session}:{int(old.get('deliveries', 0)) + 1}"
            assert (job.attempts, job.crashes) == (int(old.get("attempts", 0)), int(old.get("crashes", 0)))
            self.held.add(Delivery(job.id, job.token))

    @precondition(lambda self: self.held)
    @rule(
        ends=st.lists(
            st.tuples(
                picks, st.sampled_from(sorted(VERBS)), st.sampled_from([0, 300, 20_000]), st.booleans()
            ),
            min_size=1,
            max_size=4,
            unique_by=lambda end: end[0],
        ),
        twice=st.booleans(),
    )
    def finish(self, ends: list[tuple[int, str, int, bool]], twice: bool) -> None:
        held = sorted(self.held)
        outcomes = {}
        for (pick, verb, delay, follow_up), delivery in zip(ends, rotated(held, ends[0][0]), strict=False):
            follow_ups = [a_job(f"j{next(self.numbers)}", queue="a")] if follow_up else []
            outcomes[delivery] = Outcome(
                *delivery,
                verb,
                reason="why" if pick % 2 else "",
                delay_ms=delay + pick,
                error="{}",
                result="1",
                follow_ups=follow_ups,
            )
        batch = list(outcomes.values())

        assert self.store.finish(batch, now_ms=self.now) == ["done"] * len(batch)
        if twice:
            assert self.store.finish(batch, now_ms=self.now + 9) == ["already"] * len(batch)
        self.did("finish")

        for delivery, outcome in outcomes.items():
            old, new = self.before.records[delivery.id], self.world.records[delivery.id]
            stopped = "cancel_asked" in old and outcome.verb in (
                "retry",
                "snooze",
                "hand_back",
                "dead_letter",
            )
            assert self.world.state(delivery.id) is (State.CANCELLED if stopped else VERBS[outcome.verb])
            charged = int(outcome.verb in ("retry", "dead_letter") and not stopped)
            assert int(new.get("attempts", 0)) == int(old.get("attempts", 0)) + charged
            assert new.get("crashes") == old.get("crashes")
        self.held -= outcomes.keys()
        self.ended |= outcomes.keys()
        asked = {id for id, record in self.before.records.items() if "cancel_asked" in record}
        dropped = {job.id for outcome in batch for job in outcome.follow_ups if outcome.id in asked}
        followers = {job.id for outcome in batch for job in outcome.follow_ups} - dropped
        assert {self.world.state(id) for id in followers} <= {State.QUEUED}
        assert {self.world.state(id) for id in dropped} <= {None}
        self.only_changed(followers | {delivery.id for delivery in outcomes})

    @precondition(lambda self: self.world.records)
    @rule(pick=picks, verb=st.sampled_from(sorted(VERBS)), session=picks, number=st.integers(0, 3))
    def finish_without_the_token(self, pick: int, verb: str, session: int, number: int) -> None:
        known = sorted(self.world.records)
        token = f"{self.ever[session % len(self.ever)]}:{number}"
        delivery = Delivery(known[pick % len(known)], token)
        if delivery in self.held:
            return
        late = Outcome(*delivery, verb, error="{}", result="1", follow_ups=[a_job("never")])
        (word,) = self.store.finish([late], now_ms=self.now)
        self.did("finish")
        assert word == "stale" or (word == "already" and delivery in self.ended)
        assert self.world == self.before

    @precondition(lambda self: self.open)
    @rule(pick=picks, knows=st.booleans(), started=st.sets(st.integers(0, 4)), hangs=st.booleans())
    def rescue_named(self, pick: int, knows: bool, started: set[int], hangs: bool) -> None:
        session = self.open[pick % len(self.open)]
        mine = [held.id for held in sorted(self.held) if held.session == session]
        ran = [id for number, id in enumerate(mine) if number in started or not knows]
        overdue = ran[0] if hangs and ran and knows else ""

        done = self.store.rescue(
            LEASE, "", session=session, started=ran if knows else None, overdue=overdue, now_ms=self.now
        )
        self.did("rescue")

        assert done.jobs == len(mine)
        suspects = [id for id in ran if int(self.before.records[id].get("crashes", 0))]
        to_charge = [overdue] if overdue else suspects or ran
        for id in mine:
            old, new = self.before.records[id], self.world.records[id]
            crashes = int(old.get("crashes", 0)) + (id in to_charge)
            assert int(new.get("crashes", 0)) == crashes
            most = int(old["max_crashes"])
            if "cancel_asked" in old:
                assert new["state"] == "cancelled"
            elif id not in ran or (overdue and id != overdue):
                assert new["state"] == "queued"
            elif most == 0 or (id in to_charge and crashes >= most):
                assert new["state"] == "dead"
            else:
                assert new["state"] == "retrying"
        self.only_changed(set(mine))
        self.forget(session)

    @precondition(lambda self: self.open)
    @rule()
    def leases_run_out(self) -> None:
        """While rescues are made all the time, as in production; the newest session is extended."""
        for _ in range(12):
            self.now += LEASE // 5
            self.store.extend(self.open[-1], LEASE, now_ms=self.now)
            self.store.rescue(LEASE, RUN_ID, now_ms=self.now)
        self.did("rescue")
        for session in self.open[:-1]:
            self.forget(session)

    @precondition(lambda self: self.open)
    @rule(pick=picks)
    def close_session(self, pick: int) -> None:
        session = self.open[pick % len(self.open)]
        mine = {held.id for held in self.held if held.session == session}
        self.store.close_session(session, started=sorted(mine)[::2], now_ms=self.now)
        self.did("close_session")
        for id in mine:
            asked = "cancel_asked" in self.before.records[id]
            assert self.world.state(id) is (State.CANCELLED if asked else State.QUEUED)
        self.only_changed(mine)
        self.forget(session)

    @precondition(lambda self: self.world.records)
    @rule(pick=picks, twice=st.booleans())
    def cancel(self, pick: int, twice: bool) -> None:
        known = sorted(self.world.records)
        id = known[pick % len(known)]
        state = self.world.state(id)
        word = self.store.cancel(id, now_ms=self.now)
        if twice:
            assert self.store.cancel(id, now_ms=self.now + 1) == word
        self.did("cancel")
        if state in WAITING or state is State.CANCELLED:
            assert word == "cancelled"
            assert self.world.state(id) is State.CANCELLED
        else:
            assert word == ("asked" if state is State.RUNNING else "finished")
        self.only_changed({id} if state in WAITING or state is State.RUNNING else set())

    @precondition(lambda self: self.world.records)
    @rule(pick=picks, twice=st.booleans())
    def replay(self, pick: int, twice: bool) -> None:
        known = sorted(self.world.records)
        id, nonce = known[pick % len(known)], str(next(self.numbers))
        state = self.world.state(id)
        (word,) = self.store.replay([id], nonce, now_ms=self.now)
        if twice:
            assert self.store.replay([id], nonce, now_ms=self.now + 1) == [word]
        self.did("replay")
        comes_back = state in (State.DEAD, State.CANCELLED)
        assert (word == "replayed") == comes_back
        assert self.world.state(id) is (State.QUEUED if comes_back else state)
        self.only_changed({id} if comes_back else set())

    @precondition(lambda self: self.world.records)
    @rule(pick=picks, twice=st.booleans())
    def replay_as(self, pick: int, twice: bool) -> None:
        known = sorted(self.world.records)
        id, job = known[pick % len(known)], a_job(f"j{next(self.numbers)}", queue="a")
        can = self.world.state(id) in (State.DEAD, State.CANCELLED)
        word, _ = self.store.replay_as(id, job, now_ms=self.now)
        if twice:
            assert self.store.replay_as(id, job, now_ms=self.now + 1)[0] == word
        self.did("replay_as")
        assert (word == "replayed") == can
        assert self.world.state(job.id) is (State.QUEUED if can else None)
        assert self.world.state(id) is self.before.state(id)
        self.only_changed({id, job.id} if can else set())

    @precondition(lambda self: self.world.records)
    @rule(chosen=st.lists(picks, min_size=1, max_size=3, unique=True), twice=st.booleans())
    def delete(self, chosen: list[int], twice: bool) -> None:
        known = sorted(self.world.records)
        wanted = sorted({known[pick % len(known)] for pick in chosen})
        final = [self.world.state(id) in FINAL for id in wanted]
        words = self.store.delete(wanted)
        assert words == ["deleted" if is_final else "active" for is_final in final]
        if twice:
            again = ["unknown" if is_final else "active" for is_final in final]
            assert self.store.delete(wanted) == again
        self.did("delete")
        gone = {id for id, is_final in zip(wanted, final, strict=True) if is_final}
        assert self.before.records.keys() - self.world.records.keys() == gone
        self.only_changed(gone)

    @rule()
    def expire(self) -> None:
        expired, _ = self.store.expire(now_ms=self.now)
        self.did("expire")
        gone = {
            id
            for id, record in self.before.records.items()
            if record["state"] in WAITING
            and not begun(record)
            and int(record.get("expires_at", self.now + 1)) <= self.now
        }
        assert len(gone) == expired
        assert {self.world.state(id) for id in gone} <= {State.EXPIRED}
        self.only_changed(gone)

    @rule(keep=st.integers(0, 5))
    def prune(self, keep: int) -> None:
        retention = {state.value: (30_000, keep) for state in FINAL}
        removed, _ = self.store.prune(retention, now_ms=self.now)
        self.did("prune")
        gone = self.before.records.keys() - self.world.records.keys()
        assert len(gone) == removed
        assert {self.before.state(id) for id in gone} <= FINAL
        self.only_changed(gone)

    @rule(ms=st.sampled_from([1, 250, 500, 3_000, 10_000, 60_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    # What must hold.

    @invariant()
    def every_job_is_in_exactly_the_place_of_its_state(self) -> None:
        expected = Counter(
            (id, place_of(State(record["state"]))) for id, record in self.world.records.items()
        )
        assert self.world.places == expected

    @invariant()
    def deadlines_are_those_of_jobs_that_wait_and_have_not_begun(self) -> None:
        assert set(ids(self.store, self.store.keys.deadlines)) == {
            id
            for id, record in self.world.records.items()
            if "expires_at" in record and record["state"] in WAITING and not begun(record)
        }

    @invariant()
    def running_jobs_are_those_handed_out_under_their_tokens(self) -> None:
        assert self.world.tokens == dict(self.held)
        for id, record in self.world.records.items():
            token = record.get("token")
            valid = None if token == record.get("ended") else token
            assert valid == self.world.tokens.get(id)

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
        self.open.remove(session)
        self.held = {held for held in self.held if held.session != session}


def run(url: str, examples: int, steps: int, *, derandomize: bool) -> None:
    machine: Any = partial(Machine, url)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=derandomize,
            # Making a failure smaller takes minutes: the soak tests have them.
            phases=[Phase.generate] if derandomize else [Phase.generate, Phase.shrink],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_sequence_of_calls_loses_or_doubles_a_job(emptied_url: str):
    run(emptied_url, 30, 40, derandomize=True)


@pytest.mark.soak
def test_no_long_sequence_of_calls_loses_or_doubles_a_job(emptied_url: str):
    run(emptied_url, 1_500, 80, derandomize=False)
