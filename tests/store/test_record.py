"""What holds for the record of a job through its whole life."""

import json

from tests.store.builders import (
    LEASE,
    NOW,
    RUN_ID,
    a_job,
    a_session,
    claim,
    claimed,
    fields_of,
    finish,
    submitted,
)
from worker_service.jobs.states import State
from worker_service.store import Queries, Store

LONG = "x" * 40
"""Names as long as people make them."""


def test_record_stays_a_listpack_through_its_whole_life(store: Store):
    id = "01890a5d-ac96-774b-bcce-b302099a8057"
    compact = (b"listpack", b"ziplist")  # the latter before server 7.0
    session = "0123456789abcdef"
    submitted(
        store, id, queue=LONG, actor=LONG, parent=id, priority=-100, delay_ms=1, expires_in_ms=10**12,
        max_attempts=1_000_000_000, max_crashes=1_000, tags=tuple(LONG + str(n) for n in range(20)),
    )  # fmt: skip
    encodings = []

    def look() -> None:
        encodings.append((fields_of(store, id)["state"], store.client.object("encoding", store.keys.job(id))))

    def run(verb: str, at: int) -> None:
        a_session(store, session, now_ms=at)
        (job,) = claim(store, session=session, queues=[LONG], now_ms=at).jobs
        look()
        error = json.dumps({"type": "E", "message": "m" * 2_000})
        finish(store, job, verb, reason="attempts_exhausted", error=error, result="1" * 1_000, now_ms=at)
        look()

    look()
    run("hand_back", NOW + 1)
    run("retry", NOW + 1)
    run("snooze", NOW + 1)
    a_session(store, session, now_ms=NOW + 1)
    claim(store, session=session, queues=[LONG], now_ms=NOW + 1)
    store.rescue(LEASE, RUN_ID, session=session, now_ms=NOW + 1)
    look()
    claim_with_none = NOW + 501
    a_session(store, session, now_ms=claim_with_none)
    claim(store, session=session, queues=[LONG], suspects=0, now_ms=claim_with_none)
    look()
    run("dead_letter", NOW + 10_000)

    assert [state for state, _ in encodings] == [
        "scheduled", "running", "queued", "running", "retrying", "running", "scheduled",
        "retrying", "retrying", "running", "dead",
    ]  # fmt: skip
    assert all(encoding in compact for _, encoding in encodings), encodings


def test_newest_25_deliveries_are_kept(store: Store, reads: Queries):
    job = claimed(store, "one")
    for _ in range(30):
        finish(store, job, "snooze")
        (job,) = claim(store).jobs

    found = reads.job("one")

    assert found is not None
    assert [delivery.number for delivery in found.deliveries] == [*range(6, 31), 31]
    assert store.client.llen(store.keys.attempts("one")) == 25


def test_deliveries_survive_what_an_error_may_hold(store: Store, reads: Queries):
    job = claimed(store, "one")
    error = {"type": "E", "message": "tab\t newline\n nul\0 ünïcode 🎉"}

    finish(store, job, "dead_letter", error=json.dumps(error))

    found = reads.job("one")
    assert found is not None
    assert found.error == error
    assert found.deliveries[0].error == error


def test_who_waits_for_a_job_is_told_of_its_end(store: Store, reads: Queries):
    job = claimed(store, "one")
    store.client.set(store.keys.watch, 1)
    with store.client.pubsub() as subscription:
        subscription.subscribe(store.keys.event("one"))
        subscription.get_message(timeout=5)

        finish(store, job, "complete")

        told = subscription.get_message(timeout=5)
    assert told is not None
    assert told["data"] == b"succeeded"


def test_nothing_is_published_while_nobody_watches(store: Store):
    job = claimed(store, "one")
    with store.client.pubsub() as subscription:
        subscription.subscribe(store.keys.event("one"))
        subscription.get_message(timeout=5)

        finish(store, job, "complete")
        store.client.publish(store.keys.event("one"), "the end of the test")

        told = subscription.get_message(timeout=5)
    assert told is not None
    assert told["data"] == b"the end of the test"


def test_worker_that_ended_it_is_known(store: Store, reads: Queries):
    job = claimed(store, "one", session="s7")
    finish(store, job, "complete")
    submitted(store, "two", max_crashes=1)
    claim(store, session="s7")
    store.rescue(LEASE, RUN_ID, session="s7", now_ms=NOW)

    one, two = reads.job("one"), reads.job("two")

    assert one is not None
    assert two is not None
    assert (one.state, one.worker) == (State.SUCCEEDED, "s7")
    assert (two.state, two.worker) == (State.DEAD, "s7")


def test_counters_of_a_minute_stay_apart(store: Store):
    store.submit([a_job()], now_ms=NOW)
    store.submit([a_job(), a_job()], now_ms=NOW + 60_000)

    first, second = NOW // 60_000, NOW // 60_000 + 1
    assert store.client.hgetall(store.keys.minute("work", first)) == {b"enqueued": b"1"}
    assert store.client.hgetall(store.keys.minute("work", second)) == {b"enqueued": b"2"}
