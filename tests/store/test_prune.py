"""prune: finished jobs past their retention go, nothing else does."""

import pytest

from tests.store.builders import (
    NOW,
    a_session,
    claimed,
    contents,
    finish,
    ids,
    out_of_memory,
    submitted,
)
from worker_service.store import Store

KEEP = {"succeeded": (1_000, 100), "dead": (5_000, 100), "cancelled": (1_000, 100), "expired": (1_000, 100)}


def succeeded(store: Store, id: str = "", *, now_ms: int = NOW) -> str:
    job = claimed(store, id, now_ms=now_ms)
    assert finish(store, job, "complete", result="1", now_ms=now_ms) == "done"
    return job.id


def keys_of(store: Store, id: str) -> list[str]:
    return [key for key in contents(store) if key.endswith(f":{id}")]


class TestAge:
    def test_job_past_its_retention_goes_with_all_that_belongs_to_it(self, store: Store):
        job = claimed(store, "old")
        finish(store, job, "dead_letter", error='{"type":"E"}')
        assert len(keys_of(store, "old")) == 4  # record, message, error, attempts

        assert store.prune(KEEP, now_ms=NOW + 5_000) == (1, False)

        assert keys_of(store, "old") == []
        assert ids(store, store.keys.jobs) == []
        assert ids(store, store.keys.final("dead")) == []

    def test_job_within_its_retention_stays(self, store: Store):
        succeeded(store)
        before = contents(store)

        assert store.prune(KEEP, now_ms=NOW + 999) == (0, False)

        assert contents(store) == before

    def test_every_state_has_its_own(self, store: Store):
        succeeded(store, "done")
        store.cancel(submitted(store, "stopped"), now_ms=NOW)
        submitted(store, "lost", dead_reason="unknown_actor")

        assert store.prune(KEEP, now_ms=NOW + 1_000) == (2, False)

        assert ids(store, store.keys.jobs) == ["lost"]

    def test_jobs_that_wait_or_run_stay_whatever_their_age(self, store: Store):
        claimed(store, "runs")
        submitted(store, "queued")
        submitted(store, "scheduled", delay_ms=5)
        before = contents(store)

        assert store.prune(KEEP, now_ms=NOW + 10**12) == (0, False)

        assert contents(store) == before


class TestCount:
    def test_the_newest_are_kept(self, store: Store):
        for number in range(5):
            succeeded(store, f"job-{number}", now_ms=NOW + number)

        assert store.prune({"succeeded": (10**9, 2)}, now_ms=NOW + 10) == (3, False)

        assert ids(store, store.keys.final("succeeded")) == ["job-3", "job-4"]

    def test_age_and_count_together_remove_each_once(self, store: Store):
        for number in range(5):
            succeeded(store, f"job-{number}", now_ms=NOW + number)

        assert store.prune({"succeeded": (8, 2)}, now_ms=NOW + 10) == (3, False)


class TestSlices:
    def test_limit_bounds_one_call_and_says_that_more_remain(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("worker_service.store.transitions.PRUNE_LIMIT", 2)
        for number in range(5):
            succeeded(store, f"job-{number}", now_ms=NOW + number)

        answers = [store.prune(KEEP, now_ms=NOW + 10_000) for _ in range(3)]

        assert answers == [(2, True), (2, True), (1, False)]
        assert ids(store, store.keys.jobs) == []


def test_repeated_call_changes_nothing(store: Store):
    succeeded(store)
    store.prune(KEEP, now_ms=NOW + 1_000)
    before = contents(store)

    assert store.prune(KEEP, now_ms=NOW + 1_000) == (0, False)

    assert contents(store) == before


def test_damaged_record_goes_too(store: Store):
    submitted(store, "broken")
    store.client.set(store.keys.job("broken"), "no hash")
    a_session(store)
    store.claim("s1", "n", 1, ["default"], now_ms=NOW)
    assert ids(store, store.keys.final("dead")) == ["broken"]

    assert store.prune(KEEP, now_ms=NOW + 5_000) == (1, False)

    assert keys_of(store, "broken") == []


def test_full_server_still_prunes(limited: Store):
    succeeded(limited, "old")

    with out_of_memory(limited.client):
        assert limited.prune(KEEP, now_ms=NOW + 1_000) == (1, False)

    assert keys_of(limited, "old") == []
