"""open_session: a worker process gets the right to hold claims."""

from tests.store.builders import LEASE, NOW, a_session, claim, contents, submitted
from worker_service.store import Store


def test_open_session_holds_a_lease_and_what_the_process_is(store: Store):
    store.open_session("s1", LEASE, {"host": "here", "pid": "7"}, now_ms=NOW)

    assert store.client.zscore(store.keys.sessions, "s1") == NOW + LEASE
    assert store.client.hgetall(store.keys.session("s1")) == {
        b"opened_at": str(NOW).encode(),
        b"host": b"here",
        b"pid": b"7",
    }


def test_process_may_say_nothing_about_itself(store: Store):
    store.open_session("s1", LEASE, {}, now_ms=NOW)

    assert store.client.zscore(store.keys.sessions, "s1") == NOW + LEASE


def test_repeated_call_changes_nothing(store: Store):
    a_session(store)
    before = contents(store)

    a_session(store)

    assert contents(store) == before


def test_jobs_held_survive_a_repeated_call(store: Store):
    id = submitted(store)
    a_session(store)
    claim(store)

    a_session(store)

    assert list(store.client.hgetall(store.keys.running("s1"))) == [id.encode()]
