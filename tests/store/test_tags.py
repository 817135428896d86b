"""Tags: a job stands under each of its own as long as there is a record of it."""

import pytest

from tests.store.builders import (
    LEASE,
    NOW,
    RUN_ID,
    a_job,
    a_session,
    claim,
    claimed,
    contents,
    crashed,
    finish,
    ids,
    out_of_memory,
    submitted,
    words,
)
from worker_service.store import Lock, Store


def tagged_with(store: Store, tag: str) -> list[str]:
    return ids(store, store.keys.tag(tag))


def test_job_stands_under_each_of_its_tags_by_creation(store: Store):
    second = submitted(store, "a", tags=("red", "blue"), now_ms=NOW + 1)
    first = submitted(store, "b", tags=("red",))

    assert tagged_with(store, "red") == [first, second]
    assert tagged_with(store, "blue") == [second]
    assert store.client.zscore(store.keys.tag("red"), second) == NOW + 1


def test_job_without_tags_writes_nothing_of_them(store: Store):
    submitted(store)

    assert not [key for key in contents(store) if ":tag" in key]


def test_repeated_call_changes_nothing(store: Store):
    job = a_job(tags=("red",))
    store.submit([job], now_ms=NOW)
    before = contents(store)

    assert words(store.submit([job], now_ms=NOW + 5)) == ["exists"]

    assert contents(store) == before


def test_job_keeps_its_tags_while_it_moves_and_when_it_is_put_back(store: Store):
    job = claimed(store, tags=("red",))
    finish(store, job, "retry")
    (job,) = claim(store).jobs
    finish(store, job, "dead_letter")
    assert store.replay([job.id], "n") == ["replayed"]

    assert tagged_with(store, "red") == [job.id]


@pytest.mark.parametrize("how", ["delete", "prune"])
def test_tags_go_with_the_job(store: Store, how: str):
    job, stays = claimed(store, tags=("red", "blue")), submitted(store, tags=("red",))
    finish(store, job, "complete")

    if how == "delete":
        store.delete([job.id])
    else:
        store.prune({"succeeded": (0, 0)}, now_ms=NOW + 1)

    assert tagged_with(store, "red") == [stays]
    assert tagged_with(store, "blue") == []
    assert not store.client.exists(store.keys.tags(job.id))


def test_tags_go_when_the_server_is_out_of_memory(limited: Store):
    job = claimed(limited, tags=("red",))
    finish(limited, job, "complete")

    with out_of_memory(limited.client):
        assert limited.delete([job.id]) == ["deleted"]

    assert tagged_with(limited, "red") == []


def test_tags_go_with_a_record_that_is_damaged(store: Store):
    job = claimed(store, tags=("red",))
    finish(store, job, "dead_letter")
    store.client.delete(store.keys.job(job.id))
    store.client.set(store.keys.job(job.id), "no record")

    assert store.delete([job.id]) == ["deleted"]

    assert tagged_with(store, "red") == []


@pytest.mark.parametrize("key", ["tag", "tags"])
def test_damaged_index_holds_up_no_job(store: Store, key: str):
    name = store.keys.tag("red") if key == "tag" else store.keys.tags("one")
    store.client.hset(name, "vandal", "1")

    job = claimed(store, "one", tags=("red", "blue"))
    assert finish(store, job, "complete") == "done"
    assert store.delete(["one"]) == ["deleted"]


def test_message_that_takes_the_place_of_another_brings_its_tags(store: Store):
    lock = Lock("d", "done", "replace")
    submitted(store, "one", lock=lock, tags=("red", "blue"), delay_ms=1000)
    newer = a_job(lock=lock, tags=("blue", "green"), delay_ms=1000)

    assert words(store.submit([newer], now_ms=NOW + 5)) == ["replaced"]

    assert (tagged_with(store, "red"), tagged_with(store, "green")) == ([], ["one"])
    assert store.client.zscore(store.keys.tag("blue"), "one") == NOW
    assert store.client.get(store.keys.tags("one")) == b"blue green"


def test_follow_up_and_callback_of_a_group_that_failed_are_tagged_too(store: Store):
    store.create_group("h", 1, 60_000)
    fails = claimed(store, group="h", is_member=True, callbacks=(a_job("late", tags=("red",)),))
    finish(store, fails, "dead_letter")
    store.create_group("g", 1, 60_000)
    job = claimed(store, group="g", is_member=True, callbacks=(a_job("callback", tags=("red",)),))
    finish(store, job, "complete", follow_ups=[a_job("next", tags=("red",))])

    assert sorted(tagged_with(store, "red")) == ["callback", "late", "next"]


def test_rescued_job_keeps_its_tags(store: Store):
    id = crashed(store, tags=("red",))
    a_session(store)
    store.rescue(LEASE, RUN_ID, now_ms=NOW)

    assert tagged_with(store, "red") == [id]
