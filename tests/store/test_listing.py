"""Lists of jobs: in order, in pages, bounded."""

import pytest

from tests.store.builders import NOW, a_job, a_session, claim, claimed, crashed, finish, submitted
from worker_service.jobs.fingerprint import fingerprint_of_reason
from worker_service.jobs.states import State
from worker_service.store import JobFilter, Listing, Place, Queries, Store, listing
from worker_service.store.listing import EVERY_JOB


@pytest.fixture
def lists(store: Store, reads: Queries) -> Listing:
    """Lists of the same namespace."""
    return Listing(store.client, reads)


def walked(lists: Listing, limit: int, wanted: JobFilter = EVERY_JOB) -> list[str]:
    """Ids of all pages."""
    seen: list[str] = []
    page = lists.page(limit, wanted)
    seen += [job.id for job in page.jobs]
    while page.next:
        page = lists.page(limit, wanted, after=page.next)
        seen += [job.id for job in page.jobs]
    return seen


@pytest.mark.parametrize("limit", [1, 3, 7, 500])
@pytest.mark.parametrize("wanted", [EVERY_JOB, JobFilter(states=(State.QUEUED,)), JobFilter(queue="default")])
def test_jobs_of_one_instant_are_each_seen_once(
    store: Store, lists: Listing, monkeypatch: pytest.MonkeyPatch, limit: int, wanted: JobFilter
):
    monkeypatch.setattr(listing, "_CHUNK", 4)
    store.submit([a_job(f"a{number:02}") for number in range(11)], now_ms=NOW)
    store.submit([a_job(f"b{number:02}") for number in range(9)], now_ms=NOW + 1)
    store.submit([a_job("c")], now_ms=NOW + 2)

    seen = walked(lists, limit, wanted)

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
        assert [job.id for job in lists.page(9, JobFilter(states=(State(state),))).jobs] == [state]
    assert lists.page(9, JobFilter(states=(State.EXPIRED,))).jobs == []


def test_long_index_is_not_read_whole(store: Store, lists: Listing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listing, "LOOK_LIMIT", 10)
    monkeypatch.setattr(listing, "_CHUNK", 5)
    submitted(store, "old", dead_reason="not_json", now_ms=NOW - 1)
    store.submit([a_job(f"j{number:02}", dead_reason="not_json") for number in range(12)], now_ms=NOW)
    store.submit([a_job(f"k{number:02}") for number in range(12)], now_ms=NOW + 1)

    page = lists.page(3, JobFilter(states=(State.DEAD,)))

    assert page.jobs == []
    assert page.truncated
    assert page.next == Place(NOW + 1, "k02")
    assert walked(lists, 3, JobFilter(states=(State.DEAD,))) == [
        f"j{number:02}" for number in range(11, -1, -1)
    ] + ["old"]


def test_short_index_reaches_jobs_of_any_age(store: Store, lists: Listing, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(listing, "LOOK_LIMIT", 10)
    submitted(store, "old", dead_reason="not_json", now_ms=NOW - 1)
    store.submit([a_job() for _ in range(50)], now_ms=NOW)

    page = lists.page(3, JobFilter(states=(State.DEAD,)))

    assert ([job.id for job in page.jobs], page.next, page.truncated) == (["old"], None, False)


def test_index_that_is_behind_a_record_is_not_believed(store: Store, lists: Listing):
    submitted(store, "one")
    store.client.zadd(store.keys.final("dead"), {"one": NOW, "gone": NOW})
    assert lists.page(3, JobFilter(states=(State.DEAD,))).jobs == []


@pytest.mark.parametrize("states", [(), (State.QUEUED,)])
@pytest.mark.parametrize(
    ("since", "until", "found"), [(None, 2, "ba"), (1, None, "dcb"), (1, 3, "cb"), (2, 2, ""), (0, 9, "dcba")]
)
def test_span_of_creation_bounds_a_list(
    store: Store, lists: Listing, states: tuple[State, ...], since: int | None, until: int | None, found: str
):
    for number, id in enumerate("abcd"):
        submitted(store, id, now_ms=NOW + number)
    wanted = JobFilter(
        states=states,
        since_ms=None if since is None else NOW + since,
        until_ms=None if until is None else NOW + until,
    )
    assert walked(lists, 1, wanted) == walked(lists, 9, wanted) == list(found)


def test_span_is_found_however_many_jobs_are_newer(
    store: Store, lists: Listing, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(listing, "LOOK_LIMIT", 5)
    submitted(store, "old", now_ms=NOW - 1)
    store.submit([a_job() for _ in range(20)], now_ms=NOW)

    page = lists.page(3, JobFilter(until_ms=NOW))

    assert ([job.id for job in page.jobs], page.truncated) == (["old"], False)


def test_fingerprint_selects_dead_jobs_with_and_without_an_exception(store: Store, lists: Listing):
    failed, again, other = claimed(store), claimed(store, session="s2"), claimed(store, session="s3")
    finish(store, failed, "dead_letter", reason="failed", fingerprint="a" * 16)
    finish(store, again, "dead_letter", reason="failed", fingerprint="a" * 16)
    finish(store, other, "dead_letter", reason="failed", fingerprint="b" * 16)
    lost = submitted(store, dead_reason="group_failed")
    submitted(store, dead_reason="group_failed", actor="another")
    dead = (State.DEAD,)

    assert {*walked(lists, 9, JobFilter(dead, fingerprint="a" * 16))} == {failed.id, again.id}
    by_reason = fingerprint_of_reason("work", "group_failed")
    assert walked(lists, 9, JobFilter(dead, fingerprint=by_reason)) == [lost]


def test_record_of_another_type_hides_no_dead_job(store: Store, lists: Listing):
    fine, foreign = (submitted(store, dead_reason="not_json") for _ in range(2))
    store.client.delete(store.keys.job(foreign))
    store.client.set(store.keys.job(foreign), "no record")
    assert walked(lists, 9, JobFilter((State.DEAD,))) == [fine]


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
