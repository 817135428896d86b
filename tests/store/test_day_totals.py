"""What the counters grew by in some minutes."""

from tests.store.builders import NOW, claimed, finish
from worker_service.store import Store
from worker_service.store.overview import Overviews

MINUTE = 60_000


def test_minutes_are_added_up_and_others_left_out(store: Store):
    first = NOW // MINUTE
    for minute in (0, 1, 5):
        at = NOW + minute * MINUTE
        finish(store, claimed(store, session=f"s{minute}", now_ms=at), "complete", now_ms=at + 7)

    found = Overviews(store.client, store.namespace).totals_between(["work", "other"], first, first + 1)

    assert (found["work"]["enqueued"], found["work"]["succeeded"], found["work"]["run_ms"]) == (2, 2, 14)
    assert found["other"] == {}
