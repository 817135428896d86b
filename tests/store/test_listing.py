"""Lists of jobs: in order, in pages, bounded."""

from typing import Any

import pytest

from tests.store.builders import NOW, a_job, a_session, claim, claimed, crashed, finish, submitted
from worker_service.jobs.states import State
from worker_service.store import Listing, Place, Queries, Store, listing


@pytest.fixture
def lists(store: Store, reads: Queries) -> Listing:
    """Lists of the same namespace."""
    return Listing(store.client, reads)


def walked(lists: Listing, limit: int, **filters: Any) -> list[str]:
    """Ids of all pages."""
    seen: list[str] = []
    page = lists.page(limit, **filters)
    seen += [job.id for job in page.jobs]
    while page.next:
        page = lists.page(limit, after=page.next, **filters)
        seen += [job.id for job in page.jobs]
    return seen


@pytest.mark.parametrize("limit", [1, 3, 7, 500])
@pytest.mark.parametrize("filters", [{}, {"state": State.QUEUED}, {"queue": "default"}])
def test_jobs_of_one_instant_are_each_seen_once(
    store: Store, lists: Listing, monkeypatch: pytest.MonkeyPatch, limit: int, filters: dict[str, Any]
):
    monkeypatch.setattr(listing, "_CHUNK", 4)
    store.submit([a_job(f"a{number:02}") for number in range(11)], now_ms=NOW)
    store.submit([a_job(f"b{number:02}") for number in range(9)], now_ms=NOW + 1)
    store.submit([a_job("c")], now_ms=NOW + 2)

    seen = walked(lists, limit, **filters)

    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 21


def test_every_state_has_its_list(store: Store, reads: Queries, lists: Listing):
    crashed(store, "retrying")
    submitted(store, "queued")
    submitted(store, "scheduled", delay_ms=10_000_000_000)
    submitted(store, "running", queue="other")
    a_session(store)
    claim(store, queues=["other"])
    submitted(store, "cancelled")
    store.cancel("cancelled")
    submitted(store, "dead", dead_reason="not_json")
    for state in ("queued", "scheduled", "retrying", "running", "cancelled", "dead"):
        assert [job.id for job in lists.page(9, state=State(state)).jobs] == [state]
    assert lists.page(9, state=State.EXPIRED).jobs == []


def test_long_index_is_not_read_whole(store: Store, lists: Listing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listing, "LOOK_LIMIT", 10)
    monkeypatch.setattr(listing, "_CHUNK", 5)
    submitted(store, "old", dead_reason="not_json", now_ms=NOW - 1)
    store.submit([a_job(f"j{number:02}", dead_reason="not_json") for number in range(12)], now_ms=NOW)
    store.submit([a_job(f"k{number:02}") for number in range(12)], now_ms=NOW + 1)

    page = lists.page(3, state=State.DEAD)

    assert page.jobs == []
    assert page.truncated
    assert page.next == Place(NOW + 1, "k02")
    assert walked(lists, 3, state=State.DEAD) == [f"j{number:02}" for number in range(11, -1, -1)] + ["old"]


def test_short_index_reaches_jobs_of_any_age(store: Store, lists: Listing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listing, "LOOK_LIMIT", 10)
    submitted(store, "old", dead_reason="not_json", now_ms=NOW - 1)
    store.submit([a_job() for _ in range(50)], now_ms=NOW)

    page = lists.page(3, state=State.DEAD)

    assert ([job.id for job in page.jobs], page.next, page.truncated) == (["old"], None, False)


def test_index_that_is_behind_a_record_is_not_believed(store: Store, lists: Listing):
    submitted(store, "one")
    store.client.zadd(store.keys.final("dead"), {"one": NOW, "gone": NOW})
    assert lists.page(3, state=State.DEAD).jobs == []


def test_cursor_survives_its_job(store: Store, lists: Listing):
    store.submit([a_job(id) for id in "abc"], now_ms=NOW)
    first = lists.page(1)
    store.client.zrem(store.keys.jobs, first.jobs[0].id)
    assert [job.id for job in lists.page(5, after=first.next).jobs] == ["b", "a"]


def test_cursor_reads_what_it_wrote():
    place = Place(NOW, "01900000-0000-7000-8000-000000000000")
    assert Place.from_text(place.to_text()) == place


class TestBrief:
    def test_it_has_the_error_and_leaves_out_what_may_be_large(self, store: Store, lists: Listing):
        error = '{"type":"ValueError","message":"no","traceback":""}'
        finish(store, claimed(store), "dead_letter", reason="failed", error=error)
        (job,) = lists.page(5, brief=True).jobs
        assert (job.state, job.reason) == (State.DEAD, "failed")
        assert job.error == {"type": "ValueError", "message": "no", "traceback": ""}
        assert (job.message, job.deliveries) == ({}, [])

    @pytest.mark.parametrize("field", ["state", "queue", "actor", "priority", "created_at"])
    @pytest.mark.parametrize("brief", [True, False])
    def test_damaged_record_is_shown_and_hides_no_other(
        self, store: Store, lists: Listing, field: str, brief: bool
    ):
        damaged = submitted(store, "damaged")
        for id in ("removed", "fine", "foreign"):
            submitted(store, id)
        store.client.hdel(store.keys.job(damaged), field)
        store.client.delete(store.keys.job("removed"), store.keys.job("foreign"))
        store.client.set(store.keys.job("foreign"), "of another type")
        assert {job.id for job in lists.page(9, brief=brief).jobs} == {"damaged", "fine"}
