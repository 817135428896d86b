"""extend: the lease of a session moves forward."""

import pytest

from tests.store.builders import (
    LEASE,
    NOW,
    RUN_ID,
    a_session,
    claim,
    claimed,
    contents,
    out_of_memory,
    submitted,
)
from worker_service.store import SessionLost, Store
from worker_service.store.workers import Workers


def test_lease_moves_forward(store: Store):
    a_session(store)

    store.extend("s1", LEASE, now_ms=NOW + 5_000)

    assert store.client.zscore(store.keys.sessions, "s1") == NOW + 5_000 + LEASE


def test_repeated_call_changes_nothing(store: Store):
    a_session(store)
    store.extend("s1", LEASE, now_ms=NOW + 5_000)
    before = contents(store)

    store.extend("s1", LEASE, now_ms=NOW + 5_000)

    assert contents(store) == before


def test_tells_what_the_process_holds_of_a_session_that_has_a_record(store: Store):
    a_session(store)
    store.extend("s1", LEASE, memory_bytes=123, now_ms=NOW)
    assert store.client.hget(store.keys.session("s1"), "memory") == b"123"
    store.client.delete(store.keys.session("s1"))
    store.extend("s1", LEASE, memory_bytes=123, now_ms=NOW)
    assert not store.client.exists(store.keys.session("s1"))


def test_lease_that_ran_out_can_be_extended_while_nobody_rescued_it(store: Store):
    job = claimed(store)

    store.extend("s1", LEASE, now_ms=NOW + 10 * LEASE)

    assert store.client.hgetall(store.keys.running("s1")) == {job.id.encode(): job.token.encode()}


def test_unknown_session_is_lost(store: Store):
    with pytest.raises(SessionLost):
        store.extend("never", LEASE, now_ms=NOW)
    assert contents(store) == {}


def test_rescued_session_is_lost(store: Store):
    claimed(store)
    store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)

    with pytest.raises(SessionLost):
        store.extend("s1", LEASE, now_ms=NOW)


def test_session_whose_rescue_has_begun_is_lost(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("worker_service.store.transitions.RESCUE_LIMIT", 1)
    submitted(store)
    submitted(store)
    a_session(store)
    claim(store)

    assert store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW).more

    with pytest.raises(SessionLost):
        store.extend("s1", LEASE, now_ms=NOW)
    with pytest.raises(SessionLost):
        claim(store)


def test_full_server_still_extends(limited: Store):
    a_session(limited)

    with out_of_memory(limited.client):
        limited.extend("s1", LEASE, now_ms=NOW + 1)

    assert limited.client.zscore(limited.keys.sessions, "s1") == NOW + 1 + LEASE


def test_process_that_gets_nowhere_is_told_of_since_when_until_it_gets_on(store: Store):
    a_session(store)
    workers = Workers(store.client, store.keys)

    for later in (0, 5_000):
        store.extend("s1", LEASE, stalled=(30_000 + later, "write"), now_ms=NOW + later)
        [stalled] = workers.live(1, now_ms=NOW)
        assert (stalled.stalled_at_ms, stalled.stalled_in) == (NOW - 30_000, "write")

    store.extend("s1", LEASE, now_ms=NOW + 10_000)
    [well] = workers.live(1, now_ms=NOW)
    assert (well.stalled_at_ms, well.stalled_in) == (None, None)
