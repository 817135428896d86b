"""Any interleaving of calls about the same work, against the real scripts, leaves one owner of a key at most.

No request is answered with a job that can no longer start because its deadline has passed.

After every call each lock is compared with the jobs: a lock has a live owner, and a job that must hold one does.
"""

import itertools
import secrets
from functools import partial
from typing import Any

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

from tests.store.builders import LEASE, NOW, RUN_ID, a_job, fields_of, ids
from worker_service.jobs.states import FINAL
from worker_service.store import ClaimedJob, Lock, Outcome, Store, connect
from worker_service.store.doctor import examine

KEYS = ("k1", "k2")
TERMS = ("done", "success", "start", "5000")
CONFLICTS = ("return", "reject", "replace", "debounce", "keep_last")
WAITING = ("queued", "scheduled", "retrying")

picks = st.integers(0, 9)
locks = st.builds(
    Lock,
    digest=st.sampled_from([KEYS[0], *KEYS]),
    until=st.sampled_from(TERMS),
    on_conflict=st.sampled_from(CONFLICTS),
    max_wait_ms=st.sampled_from([None, 500]),
)


class Machine(RuleBasedStateMachine):
    """What clients, workers, keepers and people do with jobs of two pieces of work; each call perhaps repeated."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.client = connect(url)
        self.store = Store(self.client, f"u-{secrets.token_hex(6)}")
        self.now = NOW
        self.numbers = itertools.count(1)
        self.sessions: list[str] = []
        self.held: list[ClaimedJob] = []
        self.claimed_since_queued: set[str] = set()
        """jobs that gave up a lock until their start by being claimed"""

    def teardown(self) -> None:
        report = examine(self.client, self.store.namespace, now_ms=self.now)
        keys = list(self.client.scan_iter(match=self.store.keys.prefix + "*", count=1000))
        if keys:
            self.client.unlink(*keys)
        self.client.close()
        assert report.findings == []

    @initialize(until=st.sampled_from(TERMS), followed=st.booleans(), other=locks)
    def one_job_runs_and_others_wait(self, until: str, followed: bool, other: Lock) -> None:
        self.store.check_schema()
        self.submit(Lock(KEYS[0], until), None, expires=False, twice=False)
        self.claim(0, 1, later=0)
        if followed:
            self.submit(Lock(KEYS[0], "done", "keep_last"), None, expires=False, twice=False)
        self.submit(other, None, expires=False, twice=False)

    @rule(lock=locks, delay_ms=st.sampled_from([None, None, 300]), expires=st.booleans(), twice=st.booleans())
    def submit(self, lock: Lock, delay_ms: int | None, expires: bool, twice: bool) -> None:
        job = a_job(
            f"j{next(self.numbers)}",
            lock=lock,
            delay_ms=delay_ms,
            expires_in_ms=2_000 if expires else None,
            max_crashes=2,
        )
        before = self.lock(lock.digest)
        gone = [id for id in self.known() if self.is_overdue(id)]
        (answer,) = self.store.submit([job], now_ms=self.now)
        if twice:
            self.store.submit([job], now_ms=self.now)
        assert answer.id not in gone or answer.state == "expired"  # that of a window, which goes on
        if not before:
            assert answer.word == "created"
        elif before["owner"] in gone and "window" not in before:
            heir = before.get("next")
            free = heir is None or heir in gone
            assert answer.word == "created" if free else answer.id == heir or answer.word == "follows"
        elif answer.word in ("duplicate", "rejected"):
            assert answer.id == before["owner"]
        elif answer.word == "replaced":
            assert answer.id in (before["owner"], before.get("next"))
            assert answer.state in WAITING
        else:
            assert answer.word == "follows"
            assert fields_of(self.store, before["owner"])["state"] in (*WAITING, "running")
        if answer.word == "replaced":
            deadline = fields_of(self.store, answer.id).get("expires_at")
            assert deadline == (str(self.now + 2_000) if expires else None)

    @precondition(lambda self: self.held)
    @rule(pick=picks, lock=locks, twice=st.booleans())
    def ask_for_what_runs(self, pick: int, lock: Lock, twice: bool) -> None:
        key = fields_of(self.store, self.held[pick % len(self.held)].id)["unique"]
        self.submit(Lock(key, lock.until, "keep_last"), None, expires=False, twice=twice)

    @rule(pick=picks, n=st.integers(1, 3), later=st.sampled_from([0, 300, 3_000]))
    def claim(self, pick: int, n: int, later: int) -> None:
        self.now += later
        if not self.sessions or (pick == 0 and len(self.sessions) < 3):
            self.sessions.append(f"s{next(self.numbers)}")
            self.store.open_session(self.sessions[-1], LEASE, {}, now_ms=self.now)
        session = self.sessions[pick % len(self.sessions)]
        found = self.store.claim(session, str(next(self.numbers)), n, ["default"], now_ms=self.now)
        self.held += found.jobs
        self.claimed_since_queued |= {job.id for job in found.jobs}

    @precondition(lambda self: self.held)
    @rule(
        pick=picks,
        verb=st.sampled_from(
            ["complete", "complete", "retry", "snooze", "dead_letter", "hand_back", "cancel"]
        ),
        follow=st.none() | locks,
        twice=st.booleans(),
    )
    def finish(self, pick: int, verb: str, follow: Lock | None, twice: bool) -> None:
        job = self.held.pop(pick % len(self.held))
        follow_ups = [a_job(f"j{next(self.numbers)}", lock=follow)] if follow else []
        reason = "shutdown" if pick % 2 else ""
        outcome = Outcome(job.id, job.token, verb, 100, reason=reason, error="{}", follow_ups=follow_ups)
        assert self.store.finish([outcome], now_ms=self.now) == ["done"]
        if twice:
            assert self.store.finish([outcome], now_ms=self.now) == ["already"]

    @precondition(lambda self: self.sessions)
    @rule(pick=picks)
    def crash(self, pick: int) -> None:
        session = self.sessions.pop(pick % len(self.sessions))
        self.store.rescue(LEASE, RUN_ID, session=session, now_ms=self.now)
        self.forget(session)

    @precondition(lambda self: self.sessions)
    @rule(pick=picks)
    def close_session(self, pick: int) -> None:
        session = self.sessions.pop(pick % len(self.sessions))
        self.store.close_session(session, started=[job.id for job in self.held[::2]], now_ms=self.now)
        self.forget(session)

    @precondition(lambda self: self.known())
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        known = self.known()
        self.store.cancel(known[-1 - pick % len(known)], now_ms=self.now)

    @precondition(lambda self: self.known())
    @rule(pick=picks, twice=st.booleans())
    def replay(self, pick: int, twice: bool) -> None:
        known = self.known()
        id, nonce = known[-1 - pick % len(known)], str(next(self.numbers))
        before = self.lock(fields_of(self.store, id).get("unique", ""))
        (word,) = self.store.replay([id], nonce, now_ms=self.now)
        if twice:
            assert self.store.replay([id], nonce, now_ms=self.now) == [word]
        if word == "replayed":
            assert before.get("owner", id) == id
            self.claimed_since_queued.discard(id)
        elif word == "locked":
            assert before["owner"] != id

    @precondition(lambda self: self.known())
    @rule(pick=picks, lock=locks, twice=st.booleans())
    def replay_as(self, pick: int, lock: Lock, twice: bool) -> None:
        known = self.known()
        id, job = known[-1 - pick % len(known)], a_job(f"j{next(self.numbers)}", lock=lock)
        before = self.lock(lock.digest).get("owner")
        gone = [id for id in self.known() if self.is_overdue(id)]
        word, _ = self.store.replay_as(id, job, now_ms=self.now)
        if twice:
            assert self.store.replay_as(id, job, now_ms=self.now)[0] == word
        if word == "replayed":
            assert before in (None, id, *gone)
        elif word == "locked":
            assert before is not None
            assert job.id not in self.known()

    @rule(later=st.sampled_from([0, 1_000]))
    def expire(self, later: int) -> None:
        self.now += later
        self.store.expire(now_ms=self.now)
        assert not any(self.is_overdue(id) for id in self.known())

    @precondition(lambda self: self.known())
    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        known = self.known()
        self.store.delete([known[-1 - pick % len(known)]], now_ms=self.now)

    @rule(keep=st.integers(0, 1))
    def prune(self, keep: int) -> None:
        self.store.prune({state.value: (30_000, keep) for state in FINAL}, now_ms=self.now)

    @rule(key=st.sampled_from(KEYS))
    def window_ends(self, key: str) -> None:
        if "window" in self.lock(key):
            self.client.pexpire(self.store.keys.unique(key), 0)

    @invariant()
    def every_lock_has_a_live_owner_that_knows_of_it(self) -> None:
        for key in KEYS:
            lock = self.lock(key)
            if lock and "window" not in lock:
                owner = fields_of(self.store, lock["owner"])
                assert owner["holds"] == owner["unique"] == key
                alive = owner["state"] in (*WAITING, "running")
                assert alive or (owner["state"], owner["until"]) == ("dead", "success")

    @invariant()
    def every_job_that_must_hold_its_lock_does(self) -> None:
        for id in self.known():
            job = fields_of(self.store, id)
            lock = self.lock(job["unique"])
            if job.get("holds"):
                assert lock["owner"] == id
                assert "window" not in lock
            elif job.get("wait_reason") == "unique":
                assert lock["next"] == id
                assert "window" not in lock
            elif job["state"] in (*WAITING, "running"):
                assert job["until"] == "5000" or (job["until"] == "start" and id in self.claimed_since_queued)

    @invariant()
    def what_follows_waits_for_the_one_that_runs(self) -> None:
        for key in KEYS:
            if follower := self.lock(key).get("next"):
                job = fields_of(self.store, follower)
                assert (job["state"], job["wait_reason"]) == ("scheduled", "unique")
                assert self.client.zscore(self.store.keys.due("default"), follower) == float("inf")

    @invariant()
    def deadlines_are_those_of_jobs_that_wait_and_have_not_begun(self) -> None:
        watched = {id for id in self.known() if self.has_deadline(id)}
        assert set(ids(self.store, self.store.keys.deadlines)) == watched

    def has_deadline(self, id: str) -> bool:
        job = fields_of(self.store, id)
        begun = {"attempts", "crashes", "snoozes", "began"} & job.keys()
        return "expires_at" in job and job["state"] in WAITING and not begun

    def is_overdue(self, id: str) -> bool:
        return self.has_deadline(id) and int(fields_of(self.store, id)["expires_at"]) <= self.now

    def known(self) -> list[str]:
        return ids(self.store, self.store.keys.jobs)

    def lock(self, key: str) -> dict[str, str]:
        found: Any = self.client.hgetall(self.store.keys.unique(key))
        return {name.decode(): value.decode() for name, value in found.items()}

    def forget(self, session: str) -> None:
        self.held = [job for job in self.held if job.token.rpartition(":")[0] != session]


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


def test_no_interleaving_leaves_two_owners_or_a_lock_without_one(emptied_url: str):
    run(emptied_url, 30, 40, derandomize=True)


@pytest.mark.soak
def test_no_long_interleaving_leaves_two_owners_or_a_lock_without_one(emptied_url: str):
    run(emptied_url, 200, 80, derandomize=False)
