"""The job that tells of the end of a job with a webhook is created by whatever ends it, once for each end."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.store.builders import (
    LEASE,
    NOW,
    RUN_ID,
    a_hook,
    a_job,
    claim,
    claimed,
    finish,
    submitted,
    words,
)
from worker_service.store import Lock, Queries, Store
from worker_service.store.doctor import examine

NAMESPACE = uuid.UUID("6f1af5c0-5d3a-4d1e-946b-d9a146e20b84")


def deliveries(store: Store) -> list[str]:
    return [id.decode() for id in store.client.zrange(store.keys.deliveries, 0, -1)]  # type: ignore[union-attr]


def told(reads: Queries, store: Store) -> list[tuple[str, str]]:
    """Job and event of each delivery."""
    jobs = reads.jobs(deliveries(store))
    return [(job.parent or "", job.message["kwargs"]["event"]) for job in jobs]


def complete(store: Store) -> None:
    assert finish(store, claimed(store, "job", hook=a_hook()), "complete") == "done"


def give_up(store: Store) -> None:
    assert finish(store, claimed(store, "job", hook=a_hook()), "dead_letter") == "done"


def cancel_waiting(store: Store) -> None:
    submitted(store, "job", hook=a_hook())
    for _ in range(2):
        assert store.cancel("job", now_ms=NOW) == "cancelled"


def cancel_running(store: Store) -> None:
    job = claimed(store, "job", hook=a_hook())
    store.cancel("job", now_ms=NOW)
    assert finish(store, job, "retry", reason="retry") == "done"


def cancel_and_close(store: Store) -> None:
    claimed(store, "job", hook=a_hook())
    store.cancel("job", now_ms=NOW)
    store.close_session("s1", now_ms=NOW)


def crash_too_often(store: Store) -> None:
    claimed(store, "job", hook=a_hook(), max_crashes=1)
    for _ in range(2):
        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)


def bury(store: Store) -> None:
    submitted(store, "job", hook=a_hook())
    store.client.delete(store.keys.msg("job"))
    assert claimed(store, "other").id == "other"


def lose_record(store: Store) -> None:
    submitted(store, "job", hook=a_hook())
    store.client.delete(store.keys.job("job"))
    examine(store.client, store.namespace, repair=True, now_ms=NOW)


def fail_group(store: Store) -> None:
    store.create_group("g", 2, 60_000)
    callbacks = (a_job("job", hook=a_hook()),)
    submitted(store, "member", group="g", is_member=True, callbacks=callbacks)
    store.cancel("member", now_ms=NOW)


@pytest.mark.parametrize(
    ("end", "event"),
    [
        (complete, "succeeded"),
        (give_up, "dead"),
        (cancel_waiting, "cancelled"),
        (cancel_running, "cancelled"),
        (cancel_and_close, "cancelled"),
        (crash_too_often, "dead"),
        (bury, "dead"),
        (lose_record, "dead"),
        (fail_group, "dead"),
    ],
)
def test_every_end_is_told_of_once(store: Store, reads: Queries, end: Callable[[Store], Any], event: str):
    end(store)
    assert told(reads, store) == [("job", event)]


def test_delivery_is_a_job_that_may_be_claimed(store: Store, reads: Queries):
    give_up(store)
    [id] = deliveries(store)
    assert id == str(uuid.uuid5(NAMESPACE, "job/1"))
    [delivery] = claim(store, queues=["hooks"]).jobs
    message = json.loads(delivery.message)
    assert (delivery.id, delivery.max_attempts) == (id, 7)
    assert message["kwargs"] == {"url": "http://here", "event": "dead", "ended_at": NOW}
    found = reads.job(id)
    assert found is not None
    assert (found.parent, found.actor, found.queue) == ("job", "tell", "hooks")


def test_end_that_is_reported_twice_is_told_of_once(store: Store, reads: Queries):
    job = claimed(store, "job", hook=a_hook())
    assert [finish(store, job, "complete"), finish(store, job, "complete")] == ["done", "already"]
    assert told(reads, store) == [("job", "succeeded")]


def test_each_end_of_a_job_that_is_put_back_has_a_delivery_of_its_own(store: Store, reads: Queries):
    give_up(store)
    store.replay(["job"], "nonce", now_ms=NOW + 1)
    [again] = claim(store, now_ms=NOW + 2).jobs
    assert finish(store, again, "complete", now_ms=NOW + 3) == "done"
    assert told(reads, store) == [("job", "dead"), ("job", "succeeded")]
    assert deliveries(store)[1] == str(uuid.uuid5(NAMESPACE, "job/2"))


def test_only_events_that_were_asked_for_are_told_of(store: Store, reads: Queries):
    submitted(store, "job", hook=a_hook("dead", "succeeded"))
    store.cancel("job", now_ms=NOW)
    assert told(reads, store) == []


def test_expiry_is_not_told_of(store: Store, reads: Queries):
    submitted(store, "job", expires_in_ms=5, hook=a_hook())
    assert claimed(store, "other", now_ms=NOW + 10).id == "other"
    assert (reads.state("job"), told(reads, store)) == ("expired", [])


def test_job_without_a_webhook_has_nothing_of_it(store: Store):
    assert finish(store, claimed(store, "job"), "complete") == "done"
    assert store.client.keys(f"{store.keys.prefix}hook:*") == []
    assert store.client.exists(store.keys.deliveries) == 0


def test_damaged_webhook_keeps_no_job_from_its_end(store: Store, reads: Queries):
    job = claimed(store, "job", hook=a_hook())
    store.client.hset(store.keys.hook("job"), "job", "3:xy")
    assert finish(store, job, "complete") == "done"
    assert (reads.state("job"), told(reads, store)) == ("succeeded", [])


def test_webhook_goes_with_its_job(store: Store):
    give_up(store)
    assert store.delete(["job"]) == ["deleted"]
    assert store.client.exists(store.keys.hook("job")) == 0
    assert len(deliveries(store)) == 1


def test_newer_job_that_takes_the_place_of_one_that_waits_brings_its_webhook(store: Store, reads: Queries):
    lock = Lock("work", "done", "replace")
    submitted(store, "job", lock=lock, hook=a_hook("dead"))
    newer = a_job("newer", lock=lock, hook=a_hook("cancelled"))
    assert words(store.submit([newer], now_ms=NOW)) == ["replaced"]
    store.cancel("job", now_ms=NOW)
    assert told(reads, store) == [("job", "cancelled")]


def test_list_of_deliveries_is_bounded(store: Store):
    store.client.zadd(store.keys.deliveries, {f"old-{number}": number for number in range(10_000)})
    give_up(store)
    assert store.client.zcard(store.keys.deliveries) == 10_000
    assert "old-0" not in deliveries(store)
