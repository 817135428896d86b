"""tell_worker: a worker process is asked to take no more jobs, or to stop."""

import pytest

from tests.store.builders import LEASE, NOW, RUN_ID, a_session, contents, out_of_memory
from worker_service.store import Listening, Store
from worker_service.store.workers import Workers


def test_it_is_heard_and_stays_with_the_session(store: Store, redis_url: str):
    a_session(store)
    workers, listening = Workers(store.client, store.keys), Listening(redis_url, store.namespace)

    assert store.tell_worker("s1", "quiet", now_ms=NOW + 1)
    assert store.tell_worker("s1", "stop", now_ms=NOW + 2)

    assert {listening.wait("s1").word, listening.wait("s1").word} == {"quiet", "stop"}
    listening.close()
    assert workers.words("s1") == ["quiet", "stop"]
    (worker,) = workers.live(9, now_ms=NOW)
    assert (worker.quiet_at_ms, worker.stop_at_ms) == (NOW + 1, NOW + 2)


def test_repeated_call_changes_nothing(store: Store):
    a_session(store)
    store.tell_worker("s1", "quiet", now_ms=NOW)
    before = contents(store)

    assert store.tell_worker("s1", "quiet", now_ms=NOW + 9)

    assert contents(store) == before


@pytest.mark.parametrize("how", ["never was", "closed", "rescued"])
def test_process_that_is_not_there_is_unknown_and_no_bell_is_left(store: Store, how: str):
    if how != "never was":
        a_session(store)
    if how == "closed":
        store.close_session("s1")
    if how == "rescued":
        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)
    before = contents(store)

    assert not store.tell_worker("s1", "stop", now_ms=NOW)

    assert contents(store) == before


def test_words_go_with_the_session(store: Store):
    a_session(store)
    store.tell_worker("s1", "quiet", now_ms=NOW)

    store.close_session("s1")

    assert not [key for key in contents(store) if "s1" in key]


def test_full_server_still_tells(limited: Store):
    a_session(limited)

    with out_of_memory(limited.client):
        assert limited.tell_worker("s1", "stop", now_ms=NOW)

    assert Workers(limited.client, limited.keys).words("s1") == ["stop"]


def test_session_of_another_type_is_told_all_the_same(store: Store):
    a_session(store)
    store.client.delete(store.keys.session("s1"))
    store.client.set(store.keys.session("s1"), "vandal")

    assert store.tell_worker("s1", "stop", now_ms=NOW)

    assert store.client.zscore(store.keys.bell("s1"), "stop") == 0
    assert Workers(store.client, store.keys).words("s1") == []
