"""delete: finished jobs go when a person says so, with all that belongs to them."""

import pytest

from tests.store.builders import (
    NOW,
    a_session,
    claim,
    claimed,
    contents,
    finish,
    ids,
    out_of_memory,
    submitted,
)
from worker_service.store import Store


def finished(store: Store, state: str) -> str:
    if state == "expired":
        id = submitted(store, expires_in_ms=5)
        a_session(store)
        claim(store, now_ms=NOW + 5)
        return id
    job = claimed(store)
    store.progress(job.id, job.token, "{}")
    store.log(job.id, job.token, "a line")
    if state == "cancelled":
        store.cancel(job.id, now_ms=NOW)
    verb = {"succeeded": "complete", "dead": "dead_letter", "cancelled": "cancel"}[state]
    finish(store, job, verb, error='{"type":"E"}', result="1")
    return job.id


def traces_of(store: Store, id: str) -> list[str]:
    keys = [key.decode() for key in store.client.scan_iter(match=f"{store.keys.prefix}*{id}", count=1000)]
    places = [store.keys.jobs, *(store.keys.final(s) for s in ("succeeded", "dead", "cancelled", "expired"))]
    return keys + [place for place in places if id in ids(store, place)]


@pytest.mark.parametrize("state", ["succeeded", "dead", "cancelled", "expired"])
def test_finished_job_goes_with_all_that_belongs_to_it(store: Store, state: str):
    id = finished(store, state)
    assert len(traces_of(store, id)) >= 4

    assert store.delete([id]) == ["deleted"]

    assert traces_of(store, id) == []


def test_job_that_waits_or_runs_stays(store: Store):
    runs = claimed(store).id
    waits, later = submitted(store), submitted(store, delay_ms=5)
    before = contents(store)

    assert store.delete([runs, waits, later]) == ["active"] * 3

    assert contents(store) == before


def test_of_many_each_has_its_word_and_a_repeated_call_finds_them_gone(store: Store):
    first, waits, last = finished(store, "dead"), submitted(store, delay_ms=9), finished(store, "succeeded")

    assert store.delete([first, waits, "nobody", last]) == ["deleted", "active", "unknown", "deleted"]
    before = contents(store)
    assert store.delete([first, waits, "nobody", last]) == ["unknown", "active", "unknown", "unknown"]

    assert contents(store) == before
    assert store.delete([]) == []


def test_what_ended_later_than_asked_stays(store: Store):
    before = submitted(store, dead_reason="not_json", now_ms=NOW)
    after = submitted(store, dead_reason="not_json", now_ms=NOW + 1)

    assert store.delete([before, after], until_ms=NOW) == ["deleted", "later"]

    assert ids(store, store.keys.final("dead")) == [after]


def test_more_than_one_run_of_the_script_takes_are_removed(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("worker_service.store.transitions.SLICE", 2)
    many = [submitted(store, dead_reason="not_json") for _ in range(5)]
    assert store.delete(many) == ["deleted"] * 5
    assert ids(store, store.keys.jobs) == []


@pytest.mark.parametrize("damage", ["another type", "no state"])
def test_damaged_job_that_was_buried_goes_too(store: Store, damage: str):
    submitted(store, "broken")
    if damage == "another type":
        store.client.set(store.keys.job("broken"), "no hash")
        a_session(store)
        claim(store)
    else:
        store.client.hdel(store.keys.job("broken"), "actor")
        a_session(store)
        claim(store)
        store.client.hdel(store.keys.job("broken"), "state")
    assert ids(store, store.keys.final("dead")) == ["broken"]

    assert store.delete(["broken"]) == ["deleted"]

    assert traces_of(store, "broken") == []


def test_full_server_still_deletes(limited: Store):
    id = submitted(limited, dead_reason="not_json")
    with out_of_memory(limited.client):
        assert limited.delete([id]) == ["deleted"]
    assert traces_of(limited, id) == []
