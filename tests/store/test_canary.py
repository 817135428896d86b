"""When the last canary came through, and that only one is kept."""

from tests.store.builders import claimed, finish
from worker_service.store import Queries, Store
from worker_service.store.canary import Canary, canary_age_ms


def test_the_one_before_is_removed(store: Store, reads: Queries):
    canary = Canary(store)
    ids = []
    for session in ("a", "b"):
        job = claimed(store, session=session, actor="canary")
        canary.came_through(job.id)
        canary.came_through(job.id)  # once more, after a lost reply
        finish(store, job, "complete")
        ids.append(job.id)
    assert [job.id for job in reads.jobs(ids)] == ids[1:]


def test_one_that_still_runs_is_left(store: Store, reads: Queries):
    canary = Canary(store)
    first = claimed(store, session="a", actor="canary")
    canary.came_through(first.id)
    canary.came_through(claimed(store, session="b", actor="canary").id)
    assert reads.job(first.id) is not None


def test_age_is_since_the_last_one_or_since_one_is_expected():
    assert canary_age_ms(10_000, None, b"5000") is None
    assert canary_age_ms(10_000, b"4000", None) == 6_000
    assert canary_age_ms(10_000, b"4000", b"9000") == 1_000
