"""The numbers of a namespace are those of its jobs, and cost the same for few jobs as for many."""

import random
import re
from pathlib import Path

import pytest

from tests.store.builders import (
    LEASE,
    NOW,
    RUN_ID,
    a_session,
    claim,
    claimed,
    finish,
    submitted,
)
from worker_service import store as package
from worker_service.jobs.states import State
from worker_service.store import Store
from worker_service.store import overview as module
from worker_service.store.histogram import BOUNDS_MS
from worker_service.store.overview import Overview, Overviews, QueueOverview


@pytest.fixture
def readings(store: Store) -> Overviews:
    """Readings of the same namespace."""
    return Overviews(store.client, store.namespace)


def queue_of(overview: Overview, name: str = "default") -> QueueOverview:
    (found,) = [queue for queue in overview.queues if queue.name == name]
    return found


def test_empty_namespace_is_zero_everywhere(readings: Overviews):
    overview = readings.read()
    assert (overview.queues, overview.workers, overview.running, overview.open_workers) == ([], [], 0, 0)
    assert overview.kept == {State.SUCCEEDED: 0, State.DEAD: 0, State.CANCELLED: 0, State.EXPIRED: 0}


def test_every_job_is_counted_in_its_state(store: Store, readings: Overviews):
    finish(store, claimed(store), "complete")
    finish(store, claimed(store), "dead_letter", reason="failed")
    finish(store, claimed(store), "retry", reason="retry", delay_ms=60_000)
    store.cancel(submitted(store), now_ms=NOW)
    claimed(store)
    submitted(store, delay_ms=1000)
    submitted(store, queue="other")
    submitted(store)

    overview = readings.read(now_ms=NOW)

    assert (queue_of(overview).queued, queue_of(overview).delayed) == (1, 2)
    assert (queue_of(overview, "other").queued, queue_of(overview, "other").delayed) == (1, 0)
    assert overview.running == 1
    assert overview.kept == {State.SUCCEEDED: 1, State.DEAD: 1, State.CANCELLED: 1, State.EXPIRED: 0}


def test_instant_of_the_reading_is_the_servers(readings: Overviews, store: Store):
    seconds, micros = store.client.time()
    assert 0 <= readings.read().at_ms - (seconds * 1000 + micros // 1000) < 10_000


class TestOldest:
    def age(self, readings: Overviews, now_ms: int = NOW) -> int | None:
        return queue_of(readings.read(now_ms=now_ms)).oldest_ms

    def test_is_none_without_a_job_that_is_ready(self, store: Store, readings: Overviews):
        submitted(store, delay_ms=1000)
        assert self.age(readings) is None

    def test_job_that_was_wanted_before_it_was_made_waits_from_then(self, store: Store, readings: Overviews):
        submitted(store, delay_ms=-60_000, now_ms=NOW - 100)
        assert self.age(readings) == 100

    def test_job_that_was_put_back_waits_from_then(self, store: Store, readings: Overviews):
        id = submitted(store, now_ms=NOW - 60_000)
        store.cancel(id, now_ms=NOW - 50_000)
        store.replay([id], "n", now_ms=NOW - 100)
        assert self.age(readings) == 100

    @pytest.mark.parametrize("place", range(5))
    def test_is_found_whatever_its_priority(self, store: Store, readings: Overviews, place: int):
        priorities = [-100, -1, 0, 1, 100]
        oldest = priorities.pop(place)
        submitted(store, priority=oldest, now_ms=NOW - 9000)
        for priority in priorities:
            submitted(store, priority=priority, now_ms=NOW - 500)
        assert self.age(readings) == 9000

    def test_is_found_when_every_priority_is_present(self, store: Store, readings: Overviews):
        for priority in range(-100, 100):
            submitted(store, priority=priority, now_ms=NOW - 500)
        submitted(store, priority=100, now_ms=NOW - 9000)
        assert self.age(readings) == 9000

    def test_is_that_of_all_jobs_in_any_order_of_priorities(self, store: Store, readings: Overviews):
        dice = random.Random(5)
        made = {}
        for at in range(NOW - 60_000, NOW, 1000):
            made[submitted(store, priority=dice.randint(-3, 3), now_ms=at)] = at
        a_session(store)
        for _ in range(12):
            for job in claim(store, 5).jobs:
                del made[job.id]
            assert self.age(readings) == (NOW - min(made.values()) if made else None)

    def test_delay_that_was_asked_for_is_no_wait(self, store: Store, readings: Overviews):
        submitted(store, delay_ms=4000, now_ms=NOW - 5000)
        a_session(store)
        claim(store, 0)  # promotes, takes none
        assert queue_of(readings.read(now_ms=NOW)).queued == 1
        assert self.age(readings) == 1000

    def test_job_that_is_due_counts_though_no_worker_has_asked(self, store: Store, readings: Overviews):
        submitted(store, delay_ms=1000, now_ms=NOW - 5000)
        assert queue_of(readings.read(now_ms=NOW)).delayed == 1
        assert self.age(readings) == 4000

    def test_job_that_is_handed_back_has_waited_all_along(self, store: Store, readings: Overviews):
        job = claimed(store, now_ms=NOW - 5000)
        finish(store, job, "hand_back")
        assert self.age(readings) == 5000

    def test_is_never_negative(self, store: Store, readings: Overviews):
        submitted(store, now_ms=NOW)
        assert self.age(readings, NOW - 10_000) == 0


class TestWorkers:
    def test_shows_what_each_is_and_holds(self, store: Store, readings: Overviews):
        claimed(store)
        (worker,) = readings.read(now_ms=NOW + 1000).workers
        assert (worker.id, worker.host, worker.pid, worker.running) == ("s1", "here", "1", 1)
        assert (worker.opened_at_ms, worker.lease_ends_at_ms) == (NOW, NOW + LEASE)

    def test_lost_one_is_shown_but_not_counted_and_its_job_still_runs(
        self, store: Store, readings: Overviews
    ):
        claimed(store)
        a_session(store, "s2", now_ms=NOW + LEASE)
        overview = readings.read(now_ms=NOW + LEASE + 1)
        assert [worker.id for worker in overview.workers] == ["s2", "s1"]
        assert (overview.open_workers, overview.running) == (1, 1)

    def test_is_gone_when_rescued(self, store: Store, readings: Overviews):
        claimed(store)
        store.rescue(LEASE, RUN_ID, session="s1", now_ms=NOW)
        overview = readings.read(now_ms=NOW)
        assert (overview.workers, overview.running) == ([], 0)


class TestBounds:
    def test_queues_and_workers_beyond_the_bound_are_numbered(
        self, store: Store, readings: Overviews, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(module, "MOST_QUEUES", 2)
        monkeypatch.setattr(module, "MOST_WORKERS", 2)
        for name in "edcba":
            claimed(store, queue="default", session=name)
            submitted(store, queue=name)
        overview = readings.read(now_ms=NOW)
        assert ([queue.name for queue in overview.queues], overview.more_queues) == (["a", "b"], 4)
        assert (len(overview.workers), overview.more_workers) == (2, 3)
        assert (overview.open_workers, overview.running) == (5, 5)

    def test_many_jobs_cost_as_many_commands_as_few(self, store: Store, readings: Overviews):
        def commands() -> int:
            before = store.client.info("stats")["total_commands_processed"]
            readings.read()
            return int(store.client.info("stats")["total_commands_processed"] - before)

        for priority in (0, 5):
            submitted(store, priority=priority)
        commands()  # the first opens the connection
        few = commands()
        for number in range(300):
            submitted(store, priority=number % 2 * 5)
        assert commands() == few

    def test_bounds_of_durations_are_those_of_the_scripts(self):
        text = (Path(package.__file__).parent / "lua" / "lib" / "count.lua").read_text()
        found = re.search(r"^local BOUNDS = {(.*)}$", text, re.MULTILINE)
        assert found
        assert tuple(int(bound) for bound in found[1].split(",")) == BOUNDS_MS


class TestTotals:
    def test_are_those_of_the_actors_asked_for(self, store: Store, readings: Overviews):
        finish(store, claimed(store), "complete", now_ms=NOW + 70)
        submitted(store, actor="other")
        totals = readings.totals(["work", "never"])
        assert set(totals) == {"work", "never"}
        assert totals["never"] == {}
        assert totals["work"]["succeeded"] == 1
        assert totals["work"]["run_ms"] == 70

    def test_of_nobody_are_none(self, readings: Overviews):
        assert readings.totals([]) == {}
