"""Why a job is not running and when it will."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.builders import LEASE, NOW, RUN_ID, a_job, a_session, claim, finish, submitted
from worker_service.broker.explanation import Code, Explanation, explain
from worker_service.store import Lock, Queries, Store, connect
from worker_service.store.workers import names_text


@pytest.fixture
def store(redis_url: str, namespace: str) -> Iterator[Store]:
    """An empty store."""
    client = connect(redis_url)
    yield Store(client, namespace)
    client.close()


@pytest.fixture
def worker(store: Store) -> str:
    """A live process that takes jobs of the actor `work` from `default`, and those of no actor from `other`."""
    about = {
        "host": "box",
        "pid": "7",
        "queues": names_text(["default", "other"]),
        "actors": names_text(["work"]),
    }
    store.open_session("s1", LEASE, about, now_ms=NOW)
    return "s1"


def why(store: Store, id: str, now_ms: int = NOW) -> Explanation:
    reads = Queries(store.client, store.namespace)
    job = reads.job(id)
    assert job is not None
    return explain(reads, job, now_ms=now_ms)


def codes(found: Explanation) -> list[Code]:
    assert all(reason.detail.endswith((".", "why")) for reason in found.reasons)
    return [reason.code for reason in found.reasons]


class TestQueued:
    def test_it_is_in_line_behind_those_that_come_first(self, store: Store, worker: str):
        submitted(store, "late", priority=5)
        submitted(store, "first")
        submitted(store, "second")

        assert [why(store, id).position for id in ("first", "second", "late")] == [1, 2, 3]
        found = why(store, "late")
        assert codes(found) == [Code.IN_LINE]
        assert found.starts_at_ms is None
        assert "number 3 of 3" in found.reasons[0].detail

    def test_its_queue_is_paused(self, store: Store, worker: str):
        submitted(store, "one")
        store.pause("default", "why", NOW)
        found = why(store, "one")
        assert (codes(found), found.starts_at_ms) == ([Code.QUEUE_PAUSED], None)
        assert found.pause is not None
        assert found.pause.reason == "why"

        store.pause("default", "why", NOW, NOW + 60_000)
        assert why(store, "one").starts_at_ms == NOW + 60_000
        assert codes(why(store, "one", NOW + 60_000)) == [
            Code.NO_WORKER_FOR_QUEUE
        ]  # the lease has ended, too

    def test_no_worker_lives(self, store: Store):
        submitted(store, "one")
        assert codes(why(store, "one")) == [Code.NO_WORKER_FOR_QUEUE]

    def test_no_worker_takes_jobs_from_its_queue(self, store: Store, worker: str):
        submitted(store, "one", queue="elsewhere")
        assert codes(why(store, "one")) == [Code.NO_WORKER_FOR_QUEUE]

    def test_the_only_worker_was_asked_to_take_no_more(self, store: Store, worker: str):
        submitted(store, "one")
        store.tell_worker(worker, "quiet", now_ms=NOW)
        assert codes(why(store, "one")) == [Code.NO_WORKER_FOR_QUEUE]

    def test_no_worker_knows_its_actor(self, store: Store, worker: str):
        submitted(store, "one", actor="unknown")
        assert codes(why(store, "one")) == [Code.NO_WORKER_FOR_ACTOR]


class TestWaiting:
    def test_it_is_wanted_later(self, store: Store, worker: str):
        submitted(store, "one", delay_ms=5_000)
        found = why(store, "one")
        assert (codes(found), found.starts_at_ms, found.position) == ([Code.DUE_LATER], NOW + 5_000, None)

    def test_when_it_is_due_it_is_in_line(self, store: Store, worker: str):
        submitted(store, "one", delay_ms=5_000)
        assert codes(why(store, "one", NOW + 5_000)) == [Code.IN_LINE]

    @pytest.mark.parametrize(
        ("verb", "reason", "code"),
        [
            ("retry", "retry", Code.RETRY),
            ("snooze", "snooze", Code.SNOOZE),
            ("snooze", "unknown_actor", Code.UNKNOWN_ACTOR),
        ],
    )
    def test_a_delivery_ended_and_the_next_comes_later(
        self, store: Store, worker: str, verb: str, reason: str, code: Code
    ):
        submitted(store, "one")
        (job,) = claim(store).jobs
        error = '{"type":"ValueError","message":"bad","traceback":"","frame":null}'
        finish(store, job, verb, delay_ms=3_000, reason=reason, error=error)
        found = why(store, "one")
        assert (codes(found), found.starts_at_ms) == ([code], NOW + 3_000)

    def test_its_worker_died(self, store: Store):
        submitted(store, "one")
        a_session(store, "dies")
        claim(store, session="dies")
        store.rescue(LEASE, RUN_ID, session="dies", now_ms=NOW)
        assert codes(why(store, "one"))[0] == Code.CRASH

    def test_it_follows_another_job(self, store: Store, worker: str):
        lock = Lock("work", "done", "keep_last")
        submitted(store, "owner", lock=lock)
        claim(store)
        store.submit([a_job("heir", lock=lock)], now_ms=NOW)
        found = why(store, "heir")
        assert (codes(found), found.other, found.starts_at_ms) == ([Code.UNIQUE], "owner", None)

    def test_all_that_has_to_pass_is_told(self, store: Store):
        submitted(store, "one", delay_ms=5_000)
        store.pause("default", "why", NOW, NOW + 9_000)
        found = why(store, "one")
        assert codes(found) == [Code.DUE_LATER, Code.QUEUE_PAUSED, Code.NO_WORKER_FOR_QUEUE]
        assert found.starts_at_ms is None
        a_session(store)
        store.client.hset(store.keys.session("s1"), "queues", '["default"]')
        store.client.hset(store.keys.session("s1"), "actors", '["work"]')
        assert why(store, "one").starts_at_ms == NOW + 9_000


class TestRunning:
    def test_it_runs_in_a_process(self, store: Store, worker: str):
        submitted(store, "one")
        claim(store)
        found = why(store, "one")
        assert (codes(found), found.worker) == ([Code.RUNNING], "s1")
        assert "box, pid 7" in found.reasons[0].detail

    def test_it_was_asked_to_stop(self, store: Store, worker: str):
        submitted(store, "one")
        claim(store)
        store.cancel("one", now_ms=NOW)
        assert codes(why(store, "one")) == [Code.STOPPING]

    def test_its_process_is_silent(self, store: Store, worker: str):
        submitted(store, "one")
        claim(store)
        assert codes(why(store, "one", NOW + LEASE)) == [Code.WORKER_LOST]


class TestEnded:
    @pytest.mark.parametrize(
        ("verb", "code"),
        [("complete", Code.SUCCEEDED), ("dead_letter", Code.DEAD), ("cancel", Code.CANCELLED)],
    )
    def test_it_says_how(self, store: Store, worker: str, verb: str, code: Code):
        submitted(store, "one")
        (job,) = claim(store).jobs
        finish(store, job, verb, reason="permanent")
        assert codes(why(store, "one")) == [code]

    def test_its_deadline_passed(self, store: Store, worker: str):
        submitted(store, "one", expires_in_ms=1_000)
        claim(store, now_ms=NOW + 2_000)
        assert codes(why(store, "one")) == [Code.EXPIRED]


def test_a_damaged_record_is_explained_as_far_as_it_goes(store: Store, worker: str):
    submitted(store, "one")
    fields: list[Any] = ["queue", "actor", "unique", "created_at"]
    store.client.hdel(store.keys.job("one"), *fields)
    assert codes(why(store, "one"))
    store.client.delete(store.keys.session("s1"))
    store.client.set(store.keys.session("s1"), "x")
    assert codes(why(store, "one"))


def test_the_page_names_every_code():
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    assert [code for code in Code if f"`{code}`" not in page] == []
