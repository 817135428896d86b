"""progress and log: what a running job says about itself."""

from tests.store.builders import NOW, claimed, finish
from worker_service.store import Queries, Store


def test_newest_progress_stands(store: Store, reads: Queries):
    job = claimed(store)
    assert store.progress(job.id, job.token, '{"percent":1,"note":""}')
    assert store.progress(job.id, job.token, '{"percent":2,"note":""}')
    found = reads.job(job.id)
    assert found is not None
    assert found.progress == {"percent": 2, "note": ""}


def test_only_the_holder_of_the_token_writes(store: Store, reads: Queries):
    job = claimed(store)
    assert not store.progress(job.id, "s1:9", "{}")
    assert not store.log(job.id, "s1:9", "line")
    finish(store, job, "complete")
    assert not store.progress(job.id, job.token, "{}")
    assert not store.log(job.id, job.token, "line")
    found = reads.job(job.id)
    assert found is not None
    assert (found.progress, reads.log(job.id)) == (None, [])


def test_log_is_bounded_and_goes_with_the_job(store: Store, reads: Queries):
    job = claimed(store)
    for number in range(2500):
        store.log(job.id, job.token, str(number))
    lines = [line for _, _, line in reads.log(job.id)]
    assert 1000 <= len(lines) < 1300
    assert lines[-1] == "2499"
    finish(store, job, "complete")
    store.prune({"succeeded": (0, 0)}, now_ms=NOW + 1)
    assert not store.client.exists(store.keys.log(job.id))


def test_notes_know_whose_delivery_is_held(store: Store, reads: Queries):
    job = claimed(store)
    assert reads.is_held(job.id, job.token)
    assert not reads.is_held(job.id, "s1:9")
    finish(store, job, "complete")
    assert not reads.is_held(job.id, job.token)
    assert not reads.is_held("unknown", job.token)
