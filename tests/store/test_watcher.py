"""Who waits is woken by what the scripts publish, and misses nothing."""

import threading
from collections.abc import Iterator

import pytest

from tests.store.builders import (
    LEASE,
    NOW,
    RUN_ID,
    a_job,
    a_schedule,
    a_session,
    claim,
    claimed,
    finish,
    fire,
    schedules_of,
    submitted,
)
from tests.waiting import wait_until
from worker_service.store import LOST, Lock, Queries, Store, Watch, Watcher
from worker_service.store import watcher as module


@pytest.fixture
def watcher(reads: Queries) -> Watcher:
    """Of the namespace of the test."""
    return reads.watcher


def heard(watch: Watch, wanted: str) -> set[str]:
    """All that was heard until this word came."""
    words: set[str] = set()

    def has_come() -> bool:
        words.update(watch.hear(0.1))
        return wanted in words

    wait_until(has_come, message=wanted)
    return words


class TestJob:
    def test_each_new_state_is_heard(self, store: Store, watcher: Watcher):
        with watcher.job("one") as watch:
            submitted(store, "one", delay_ms=10)
            heard(watch, "scheduled")
            a_session(store)
            (job,) = claim(store, now_ms=NOW + 10).jobs
            assert heard(watch, "running") <= {"queued", "running"}
            finish(store, job, "retry", now_ms=NOW + 10, delay_ms=5)
            heard(watch, "retrying")
            (job,) = claim(store, now_ms=NOW + 20).jobs
            heard(watch, "running")
            finish(store, job, "hand_back")
            heard(watch, "queued")
            (job,) = claim(store, now_ms=NOW + 30).jobs
            heard(watch, "running")
            finish(store, job, "complete", now_ms=NOW + 30)
            heard(watch, "succeeded")
            store.delete(["one"])
            heard(watch, "removed")

    def test_it_is_heard_that_a_worker_was_lost_or_left(self, store: Store, watcher: Watcher):
        with watcher.job("one") as watch:
            claimed(store, "one")
            heard(watch, "running")
            store.close_session("s1", now_ms=NOW)
            heard(watch, "queued")
            a_session(store, "s2")
            claim(store, session="s2")
            heard(watch, "running")
            store.rescue(LEASE, RUN_ID, session="s2", now_ms=NOW)
            heard(watch, "retrying")
            store.cancel("one")
            heard(watch, "cancelled")
            store.replay(["one"], "nonce")
            heard(watch, "queued")

    def test_progress_and_lines_are_heard(self, store: Store, watcher: Watcher):
        job = claimed(store)
        with watcher.job(job.id) as watch:
            store.progress(job.id, job.token, '{"percent":1,"note":""}')
            heard(watch, "progress")
            store.log(job.id, job.token, "a line")
            heard(watch, "log")

    def test_new_arguments_are_heard(self, store: Store, watcher: Watcher):
        lock = Lock("work", "done", "replace")
        submitted(store, "one", lock=lock)
        with watcher.job("one") as watch:
            store.submit([a_job("two", lock=lock)])
            heard(watch, "replaced")

    def test_others_are_not_heard(self, store: Store, watcher: Watcher):
        with watcher.job("mine") as mine, watcher.job("other") as other:
            submitted(store, "other")
            heard(other, "queued")
            assert mine.hear(0.05) == set()

    def test_all_who_watch_the_same_job_hear_of_it(self, store: Store, watcher: Watcher):
        with watcher.job("one") as first, watcher.job("one") as second:
            submitted(store, "one")
            heard(first, "queued")
            heard(second, "queued")
        with watcher.job("one") as again:
            store.cancel("one")
            heard(again, "cancelled")


class TestChanges:
    @pytest.fixture
    def changes(self, watcher: Watcher) -> Iterator[Watch]:
        with watcher.changes() as watch:
            yield watch

    def test_a_job_that_changes_is_a_change_of_jobs(self, store: Store, changes: Watch):
        submitted(store)
        assert heard(changes, "jobs") == {"jobs"}

    def test_a_queue_that_is_paused_or_resumed_changes(self, store: Store, changes: Watch):
        store.pause("default", "why", NOW)
        assert heard(changes, "queues") == {"queues"}
        store.resume("default")
        assert heard(changes, "queues") == {"queues"}

    def test_a_worker_that_comes_or_goes_is_a_change(self, store: Store, changes: Watch):
        a_session(store)
        assert heard(changes, "workers") == {"workers"}
        store.close_session("s1")
        assert heard(changes, "workers") == {"workers"}

    def test_schedules_change_when_they_are_put_fired_paused_and_removed(self, store: Store, changes: Watch):
        schedule = a_schedule(store)
        assert heard(changes, "schedules") == {"schedules"}
        fire(store, schedule, NOW)
        heard(changes, "schedules")
        schedules_of(store).pause("each", {})
        heard(changes, "schedules")
        schedules_of(store).remove("each")
        heard(changes, "schedules")

    def test_one_run_of_a_script_tells_a_change_once(self, store: Store, changes: Watch):
        with store.client.pubsub() as subscription:
            subscription.subscribe(store.keys.changed)
            subscription.get_message(timeout=5)
            store.submit([a_job() for _ in range(20)])
            assert subscription.get_message(timeout=5) is not None
            assert subscription.get_message(timeout=0.1) is None


class TestConnection:
    def test_nothing_is_published_while_nobody_watches(self, store: Store):
        with store.client.pubsub() as subscription:
            subscription.subscribe(store.keys.changed, store.keys.event("one"))
            for _ in range(2):
                subscription.get_message(timeout=5)
            submitted(store, "one")
            store.cancel("one")
            assert subscription.get_message(timeout=0.1) is None

    def test_after_a_loss_everybody_is_told_and_hears_again(self, store: Store, watcher: Watcher):
        with watcher.job("one") as one, watcher.changes() as changes:
            store.client.client_kill_filter(_type="pubsub")
            heard(one, LOST)
            heard(changes, LOST)
            submitted(store, "one")
            heard(one, "queued")
            heard(changes, "jobs")

    def test_after_a_loss_the_scripts_are_made_to_publish_again(self, store: Store, watcher: Watcher):
        with watcher.job("one") as one:
            store.client.delete(store.keys.watch)  # as if the server had lost its data
            store.client.client_kill_filter(_type="pubsub")
            heard(one, LOST)
            submitted(store, "one")
            heard(one, "queued")

    def test_while_nobody_waits_there_is_no_thread(self, watcher: Watcher, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
        with watcher.job("one"):
            thread = next(each for each in threading.enumerate() if each is watcher._thread)
        thread.join(5)
        assert not thread.is_alive()

    def test_who_comes_after_that_hears_too(
        self, store: Store, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(module, "IDLE_SECONDS", 0)
        monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
        for number in range(50):
            with watcher.job(f"{number}") as watch:
                submitted(store, f"{number}")
                heard(watch, "queued")

    def test_a_stop_ends_all_waiting(self, watcher: Watcher):
        with watcher.job("one") as watch:
            threading.Timer(0.05, watcher.stop).start()
            assert watch.hear(60) == set()
            assert watch.is_over
        with watcher.job("two") as late:
            assert late.hear(60) == set()


def test_no_end_is_missed_whenever_it_comes(store: Store, reads: Queries):
    """Jobs end while others begin to wait for them, on many threads."""
    ids = [submitted(store) for _ in range(60)]
    ended: list[object] = []

    def wait_for(id: str) -> None:
        job = reads.wait_until_final(id, timeout=20)
        ended.append(job and job.state)

    waiters = [threading.Thread(target=wait_for, args=(id,)) for id in ids]
    a_session(store)
    for number, waiter in enumerate(waiters):
        waiter.start()
        if number % 3 == 0:
            for job in claim(store, n=3).jobs:
                finish(store, job, "complete")
    for waiter in waiters:
        waiter.join(25)
    assert ended == ["succeeded"] * 60


def test_a_job_that_is_removed_is_waited_for_no_longer(store: Store, reads: Queries):
    submitted(store, "one")
    threading.Timer(0.05, lambda: (store.cancel("one"), store.delete(["one"]))).start()
    job = reads.wait_until_final("one", timeout=30)
    assert job is None or job.state == "cancelled"
