"""What worker processes tell of themselves, as it is read."""

import pytest

from tests.store.builders import LEASE, NOW, a_session, claimed
from worker_service.store import Store
from worker_service.store.workers import MOST_NAMES, Workers, names_text


@pytest.fixture
def workers(store: Store) -> Workers:
    return Workers(store.client, store.keys)


def test_worker_tells_what_it_is_and_what_it_serves(store: Store, workers: Workers):
    about = {"host": "here", "pid": "7", "threads": "8", "version": "1.2.3"}
    names = {"queues": names_text(["default", "mail"]), "actors": names_text(["add"])}
    store.open_session("s1", LEASE, {**about, **names}, now_ms=NOW)

    (worker,) = workers.live(10, now_ms=NOW)

    assert (worker.id, worker.host, worker.pid, worker.threads) == ("s1", "here", "7", "8")
    assert (worker.version, worker.queues, worker.actors) == ("1.2.3", ("default", "mail"), ("add",))
    assert (worker.opened_at_ms, worker.lease_ends_at_ms, worker.running) == (NOW, NOW + LEASE, 0)
    assert worker.serves("mail")
    assert not worker.serves("other")
    assert worker.knows("add")
    assert not worker.knows("ad")


def test_jobs_that_it_holds_are_counted(store: Store, workers: Workers):
    claimed(store)

    assert [worker.running for worker in workers.live(10, now_ms=NOW)] == [1]


def test_one_whose_lease_has_ended_is_not_live(store: Store, workers: Workers):
    a_session(store, "old", now_ms=NOW - LEASE)
    a_session(store, "new")

    assert [worker.id for worker in workers.live(10, now_ms=NOW)] == ["new"]


def test_those_with_the_newest_leases_come_first_up_to_the_bound(store: Store, workers: Workers):
    for number in range(3):
        a_session(store, f"s{number}", now_ms=NOW + number)

    assert [worker.id for worker in workers.live(2, now_ms=NOW)] == ["s2", "s1"]


def test_one_that_knows_more_actors_than_it_can_tell_may_know_any(store: Store, workers: Workers):
    many = [f"actor_{number}" for number in range(MOST_NAMES + 1)]
    store.open_session("s1", LEASE, {"actors": names_text(many)}, now_ms=NOW)

    (worker,) = workers.live(10, now_ms=NOW)

    assert len(worker.actors) == MOST_NAMES
    assert worker.knows("any")
    assert not worker.serves("any")


@pytest.mark.parametrize("damage", ["", "[", "{}", "[1]", "7"])
def test_damaged_session_is_shown_with_what_can_be_read_of_it(store: Store, workers: Workers, damage: str):
    store.open_session("s1", LEASE, {"host": "here", "queues": damage, "opened_at": damage}, now_ms=NOW)

    (worker,) = workers.live(10, now_ms=NOW)

    assert (worker.host, worker.queues) == ("here", ())


def test_session_whose_key_is_of_another_type_is_shown_without_words(store: Store, workers: Workers):
    a_session(store)
    store.client.delete(store.keys.session("s1"))
    store.client.set(store.keys.session("s1"), "vandal")

    (worker,) = workers.live(10, now_ms=NOW)

    assert (worker.id, worker.host, worker.opened_at_ms) == ("s1", "", None)
