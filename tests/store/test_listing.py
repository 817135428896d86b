"""Lists of jobs: in order, in pages, bounded."""

from random import Random

import pytest

from tests.store.builders import NOW, a_job, a_message, a_session, claim, claimed, crashed, finish, submitted
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


class TestTag:
    def test_jobs_of_a_tag_however_many_others_are_newer(
        self, store: Store, lists: Listing, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(listing, "LOOK_LIMIT", 5)
        submitted(store, "old", tags=("red", "blue"), now_ms=NOW - 1)
        store.submit([a_job() for _ in range(20)], now_ms=NOW)
        submitted(store, "new", tags=("red",), now_ms=NOW + 1)

        page = lists.page(3, JobFilter(tag="red"))

        assert ([job.id for job in page.jobs], page.truncated) == (["new", "old"], False)
        assert walked(lists, 3, JobFilter(tag="none")) == []

    def test_it_is_met_beside_other_conditions(self, store: Store, lists: Listing):
        submitted(store, "dead", tags=("red",), dead_reason="not_json")
        submitted(store, "queued", tags=("red",))
        submitted(store, "other", dead_reason="not_json")

        assert walked(lists, 3, JobFilter((State.DEAD,), tag="red")) == ["dead"]
        assert walked(lists, 3, JobFilter(tag="red", actor="another")) == []
        assert walked(lists, 3, JobFilter((State.RUNNING,), tag="red")) == []


class TestText:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("JOB-A", ["job-a"]),
            ("resize", ["job-b"]),
            ("mails", ["job-b"]),
            ("customer:7", ["job-b"]),
            ("valueerror", ["job-c"]),
            ("went WRONG", ["job-c"]),
            ("Müller", ["job-a"]),
            ("MÜLLER", ["job-a"]),
            ("😀", ["job-a"]),
            ("message_timestamp", []),
            ("traceback of it", []),
            ("job-", ["job-c", "job-b", "job-a"]),
        ],
    )
    def test_it_stands_in_what_people_know_of_a_job(
        self, store: Store, lists: Listing, text: str, found: list[str]
    ):
        job = claimed(store, "job-c", now_ms=NOW + 2)
        error = '{"type":"ValueError","message":"It went wrong","traceback":"traceback of it"}'
        finish(store, job, "dead_letter", error=error)
        submitted(store, "job-a", message=a_message("job-a", "Herr Müller 😀"))
        submitted(store, "job-b", actor="resize_image", queue="mails", tags=("customer:7",), now_ms=NOW + 1)

        assert walked(lists, 2, JobFilter(text=text)) == found

    def test_it_is_looked_for_in_a_bounded_number_of_jobs_at_a_time(
        self, store: Store, lists: Listing, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(listing, "LOOK_LIMIT", 10)
        monkeypatch.setattr(listing, "_CHUNK", 5)
        submitted(store, "wanted", now_ms=NOW - 1)
        store.submit([a_job(f"j{number:02}") for number in range(12)], now_ms=NOW)

        page = lists.page(3, JobFilter(text="want"))

        assert (page.jobs, page.truncated) == ([], True)
        assert walked(lists, 3, JobFilter(text="want")) == ["wanted"]

    def test_only_the_beginning_of_long_arguments_is_looked_at(self, store: Store, lists: Listing):
        submitted(store, "one", message=a_message("one", "early" + "x" * 10_000 + "late"))

        assert walked(lists, 3, JobFilter(text="early")) == ["one"]
        assert walked(lists, 3, JobFilter(text="late")) == []

    def test_damaged_jobs_hide_no_other(self, store: Store, lists: Listing):
        for id in ("no-message", "odd-message", "odd-out", "fine"):
            submitted(store, id)
        store.client.delete(store.keys.msg("no-message"), store.keys.msg("odd-message"))
        store.client.hset(store.keys.msg("odd-message"), "a", "b")
        store.client.set(store.keys.out("odd-out"), "x")

        assert walked(lists, 9, JobFilter(text="fine")) == ["fine"]
        assert walked(lists, 9, JobFilter(text="odd-message")) == ["odd-message"]


@pytest.mark.parametrize("wanted", [EVERY_JOB, JobFilter(states=(State.DEAD,)), JobFilter(tag="red")])
@pytest.mark.parametrize("at_once", [1, 3, 40])
@pytest.mark.parametrize("seed", range(4))
def test_pages_repeat_nothing_and_lose_nothing_that_stays_while_jobs_come_and_go(
    store: Store, lists: Listing, monkeypatch: pytest.MonkeyPatch, wanted: JobFilter, at_once: int, seed: int
):
    monkeypatch.setattr(listing, "_CHUNK", 4)
    random = Random(seed)
    made = [a_job(f"m{number:02}", dead_reason="not_json", tags=("red",)) for number in range(40)]
    for begin in range(0, 40, at_once):
        store.submit(made[begin : begin + at_once], now_ms=NOW + begin)
    stay = {job.id for job in made}
    seen: list[str] = []
    page = lists.page(3, wanted)
    while True:
        seen += [job.id for job in page.jobs]
        goes = random.sample(sorted(stay), k=min(2, len(stay)))
        store.delete(goes)
        stay -= set(goes)
        store.submit([a_job(dead_reason="not_json", tags=("red",))], now_ms=NOW + 1000 + len(seen))
        if page.next is None:
            break
        page = lists.page(3, wanted, after=page.next)

    assert len(seen) == len(set(seen))
    assert stay <= set(seen)
