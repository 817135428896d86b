"""A namespace with jobs in every state, groups, sessions and all that belongs to them; nothing is wrong with it."""

from tests.store.builders import (
    LEASE,
    NOW,
    a_hook,
    a_job,
    a_schedule,
    a_session,
    claim,
    finish,
    fire,
    outcome,
    schedules_of,
    submitted,
    take_mark,
    words,
)
from worker_service.store import Idempotency, Lock, Store

STATES = ("queued", "scheduled", "retrying", "running", "succeeded", "dead", "cancelled", "expired")


def populate(store: Store) -> None:
    """Two jobs per state, named ``<state>-1`` and ``<state>-2``, each brought there by the scripts."""
    store.check_schema()
    a_session(store, "s1")
    for number in "12":
        _end_some(store, number)
    for number in "12":
        submitted(store, f"running-{number}")
    (first, second) = claim(store, 2).jobs
    assert {first.id, second.id} == {"running-1", "running-2"}
    store.progress(first.id, first.token, '{"percent": 50}')
    store.log(first.id, first.token, "half of it")
    store.cancel(second.id, now_ms=NOW)
    _groups(store)
    for number in "12":
        submitted(store, f"queued-{number}", queue="mail", priority=int(number))
        submitted(store, f"scheduled-{number}", delay_ms=50_000, queue="mail", expires_in_ms=10**12)
    store.submit([a_job("once", idempotency=Idempotency("k", "f", 60_000))], now_ms=NOW)
    _locks(store)
    _webhooks(store)
    assert store.begin_step(first.id, first.token, "charge", now_ms=NOW)[0] == "begun"
    assert fire(store, a_schedule(store), NOW, a_job("tick", queue="mail", run_at_ms=NOW)) == "fired"
    schedules_of(store).lead("one", LEASE, now_ms=NOW)
    store.pause("mail", "a reason", NOW)
    store.ring("s1")
    store.rescue(LEASE, "run", now_ms=NOW)
    take_mark(store)


def _end_some(store: Store, number: str) -> None:
    verbs = {"succeeded": "complete", "dead": "dead_letter", "retrying": "retry"}
    for state in verbs:
        submitted(store, f"{state}-{number}", max_crashes=3)
    for job in claim(store, 3).jobs:
        verb = verbs[job.id.rpartition("-")[0]]
        assert store.finish([outcome(job, verb, delay_ms=50_000, error="{}", result="1")], now_ms=NOW)
    submitted(store, f"cancelled-{number}")
    store.cancel(f"cancelled-{number}", now_ms=NOW)
    submitted(store, f"expired-{number}", expires_in_ms=5)
    assert claim(store, 1, now_ms=NOW + 10).jobs == []


def _locks(store: Store) -> None:
    """One of a job that runs, with another that follows; one of a job that waits; one that lasts for a window."""
    submitted(store, "owner", queue="locks", lock=Lock("u1", "done"))
    (owner,) = claim(store, 1, session=a_session(store, "s2"), queues=["locks"]).jobs
    assert owner.id == "owner"
    follower = a_job("follower", queue="locks", lock=Lock("u1", "done", "keep_last"))
    assert words(store.submit([follower], now_ms=NOW)) == ["follows"]
    submitted(store, "alone", queue="locks", lock=Lock("u2", "start"), delay_ms=50_000, tags=("red", "blue"))
    submitted(store, "window", queue="locks", lock=Lock("w", "60000"), delay_ms=50_000)


def _webhooks(store: Store) -> None:
    """A job that ended, with the delivery that tells of it, and one that waits."""
    for id in ("told", "to-be-told"):
        submitted(store, id, queue="hooks", delay_ms=50_000, hook=a_hook())
    store.cancel("told", now_ms=NOW)


def _groups(store: Store) -> None:
    """One that waits for its second member, one with a member that was given up."""
    for group in ("waits", "failed"):
        store.create_group(group, 2, 86_400_000)
        callbacks = (a_job(f"{group}-callback"),)
        for number in "12":
            submitted(
                store, f"{group}-{number}", queue=group, group=group, is_member=True, callbacks=callbacks
            )
    (member,) = claim(store, 1, queues=["waits"]).jobs
    finish(store, member, "complete")
    (member,) = claim(store, 1, queues=["failed"]).jobs
    finish(store, member, "dead_letter")
