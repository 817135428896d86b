"""spend: what somebody may ask for in a window."""

from tests.store.builders import out_of_memory
from tests.waiting import wait_until
from worker_service.store import Spent, Store

MINUTE = 60_000


def test_all_of_it_is_taken_or_nothing(store: Store):
    assert store.spend("ann", 3, 5, MINUTE) == Spent(True, 2, MINUTE)
    refused = store.spend("ann", 3, 5, MINUTE)
    assert (refused.granted, refused.left) == (False, 2)
    assert 0 < refused.ends_in_ms <= MINUTE
    assert store.spend("ann", 2, 5, MINUTE).left == 0
    assert not store.spend("ann", 1, 5, MINUTE).granted


def test_each_has_a_share_of_their_own(store: Store):
    store.spend("ann", 5, 5, MINUTE)
    assert store.spend("bob", 1, 5, MINUTE).granted


def test_the_next_window_begins_anew(store: Store):
    store.spend("ann", 5, 5, 20)
    wait_until(lambda: store.spend("ann", 5, 5, MINUTE).granted)
    assert store.client.pttl(store.keys.quota("ann")) > 20


def test_smaller_quota_leaves_nothing(store: Store):
    store.spend("ann", 5, 5, MINUTE)
    assert store.spend("ann", 1, 3, MINUTE).left == 0


def test_it_works_on_a_full_server(limited: Store):
    with out_of_memory(limited.client):
        assert limited.spend("ann", 1, 5, MINUTE).granted
