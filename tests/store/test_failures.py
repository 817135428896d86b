"""Dead jobs in groups, the newest first."""

import pytest

from tests.store.builders import NOW, a_job, a_session, claim, claimed, crashed, finish, submitted
from worker_service.jobs.fingerprint import fingerprint_of_reason
from worker_service.store import Store, failures
from worker_service.store.failures import Failures


@pytest.fixture
def groups(store: Store) -> Failures:
    """Groups of the same namespace."""
    return Failures(store.client, store.namespace)


def failed(
    store: Store, id: str, fingerprint: str, at_ms: int, message: str = "no", actor: str = "work"
) -> None:
    job = claimed(store, id, actor=actor, now_ms=at_ms)
    error = f'{{"type":"ValueError","message":"{message}","frame":"my.tasks:pay","traceback":"..."}}'
    finish(store, job, "dead_letter", reason="failed", error=error, fingerprint=fingerprint, now_ms=at_ms)


def test_group_shows_its_newest_job_and_how_long_it_goes_on(store: Store, groups: Failures):
    failed(store, "a", "a" * 16, NOW, "first")
    failed(store, "b", "b" * 16, NOW + 1, actor="other")
    failed(store, "c", "a" * 16, NOW + 2, "last")

    found = groups.read()

    assert not found.truncated
    first, second = found.failures
    assert (first.fingerprint, first.actor, first.reason, first.newest) == ("a" * 16, "work", "failed", "c")
    assert (first.count, first.first_ms, first.last_ms) == (2, NOW, NOW + 2)
    assert first.error is not None
    assert (first.error["message"], first.error["frame"]) == ("last", "my.tasks:pay")
    assert (second.actor, second.count, second.first_ms, second.last_ms) == ("other", 1, NOW + 1, NOW + 1)


def test_group_is_counted_through_all_parts_and_hour_by_hour(
    store: Store, groups: Failures, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(failures, "_PART", 2)
    for number, hours_ago in enumerate((30, 23, 2, 0, 0)):
        failed(store, f"j{number}", "a" * 16, NOW - hours_ago * 3_600_000)
    store.replay_as("j3", a_job("new"), now_ms=NOW)

    (found,) = groups.read(now_ms=NOW).failures

    assert (found.count, found.newest, found.first_ms) == (4, "j4", NOW - 30 * 3_600_000)
    assert found.per_hour == [1, *[0] * 20, 1, 0, 1]


def test_jobs_that_died_without_an_exception_are_grouped_by_actor_and_reason(store: Store, groups: Failures):
    crashed(store, "lost", max_crashes=1)
    crashed(store, "lost too", max_crashes=1)
    submitted(store, "follow-up", dead_reason="group_failed")
    submitted(store, "of another", dead_reason="group_failed", actor="other")
    submitted(store, "damaged", queue="d")
    store.client.delete(store.keys.msg("damaged"))
    a_session(store)
    claim(store, queues=["d"])

    found = {(each.actor, each.reason): each for each in groups.read().failures}

    counts = {key: failure.count for key, failure in found.items()}
    assert counts == {
        ("work", "worker_lost"): 2,
        ("work", "group_failed"): 1,
        ("other", "group_failed"): 1,
        ("work", "damaged_record"): 1,
    }
    for (actor, reason), failure in found.items():
        assert failure.fingerprint == fingerprint_of_reason(actor, reason)
    assert (found["work", "worker_lost"].error or {})["type"] == "WorkerLost"
    assert found["work", "group_failed"].error is None


def test_without_dead_jobs_there_is_none(store: Store, groups: Failures):
    submitted(store)
    assert (groups.read().failures, groups.read().truncated) == ([], False)


def test_bounds_are_kept_and_told(store: Store, groups: Failures, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(failures, "_PART", 2)
    for number in range(5):
        submitted(store, f"j{number}", dead_reason="not_json", actor=f"a{number}", now_ms=NOW + number)

    monkeypatch.setattr(failures, "LOOK_LIMIT", 5)
    assert not groups.read().truncated
    monkeypatch.setattr(failures, "MOST_GROUPS", 3)
    found = groups.read()
    assert ([each.actor for each in found.failures], found.truncated) == (["a4", "a3", "a2"], True)
    monkeypatch.setattr(failures, "LOOK_LIMIT", 2)
    found = groups.read()
    assert ([each.actor for each in found.failures], found.truncated) == (["a4", "a3"], True)


def test_record_and_error_of_another_type_hide_no_other(store: Store, groups: Failures):
    for id in ("fine", "foreign", "mute", "odd"):
        submitted(store, id, dead_reason="not_json", actor=id)
    store.client.delete(store.keys.job("foreign"))
    store.client.set(store.keys.job("foreign"), "no record")
    store.client.set(store.keys.out("mute"), "no hash")
    store.client.hset(store.keys.out("odd"), "error", "[1]")

    found = groups.read().failures
    assert {each.actor for each in found} == {"fine", "", "mute", "odd"}
    assert {each.error for each in found} == {None}


def test_those_between_two_instants_are_told_by_themselves(store: Store, groups: Failures):
    for number in range(4):
        failed(store, f"j{number}", "a" * 16, NOW + number)
    (found,) = groups.read(since_ms=NOW + 1, before_ms=NOW + 3).failures
    assert (found.count, found.first_ms, found.last_ms) == (2, NOW + 1, NOW + 2)
