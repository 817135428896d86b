"""All jobs that fit, in chunks, as they stood at an instant."""

import pytest

from tests.store.builders import NOW, a_job, claimed, finish, submitted
from worker_service.jobs.states import FINAL, WAITING, State
from worker_service.store import JobFilter, Store, matching
from worker_service.store.matching import BEGIN, Matching, Position

DEAD = JobFilter(states=(State.DEAD,))


@pytest.fixture
def found(store: Store) -> Matching:
    """Finds the jobs of the same namespace."""
    return Matching(store.client, store.keys)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "CHUNK", 3)


def all_of(found: Matching, wanted: JobFilter, at_ms: int = NOW + 1000) -> list[str]:
    """Ids of all chunks."""
    seen: list[str] = []
    position: Position | None = BEGIN
    looked = 0
    while position is not None:
        chunk = found.chunk(wanted, position, at_ms)
        seen += chunk.ids
        looked += chunk.looked
        position = chunk.next
    assert looked == found.to_look_at(wanted, at_ms)
    return seen


@pytest.mark.parametrize("number", [0, 1, 3, 4, 10])
@pytest.mark.parametrize("at_once", [1, 2, 3, 7])
def test_each_is_found_once_however_many_have_one_instant(
    store: Store, found: Matching, number: int, at_once: int
):
    made = [a_job(f"j{each:02}", dead_reason="not_json") for each in range(number)]
    for begin in range(0, number, at_once):
        store.submit(made[begin : begin + at_once], now_ms=NOW + begin)

    assert all_of(found, DEAD) == [job.id for job in made]
    assert found.count(DEAD, 1000) == (number, False)


def test_each_is_found_once_though_every_chunk_leaves_the_index(store: Store, found: Matching):
    made = [a_job(f"j{each:02}", dead_reason="not_json") for each in range(11)]
    for begin in range(0, 11, 2):
        store.submit(made[begin : begin + 2], now_ms=NOW + begin)
    seen: list[str] = []
    position: Position | None = BEGIN
    while position is not None:
        chunk = found.chunk(DEAD, position, NOW + 100)
        seen += chunk.ids
        store.replay(chunk.ids, "n1", now_ms=NOW)
        position = chunk.next

    assert seen == [job.id for job in made]


def test_what_died_later_is_left_out(store: Store, found: Matching):
    submitted(store, "before", dead_reason="not_json", now_ms=NOW)
    job = claimed(store, "created before", now_ms=NOW)
    finish(store, job, "dead_letter", now_ms=NOW + 2)

    assert all_of(found, DEAD, NOW + 1) == ["before"]


def test_what_was_created_later_is_left_out(store: Store, found: Matching):
    submitted(store, "before", now_ms=NOW)
    submitted(store, "after", now_ms=NOW + 2)

    assert all_of(found, JobFilter(states=(*WAITING, State.RUNNING)), NOW + 1) == ["before"]


def test_states_are_found_where_they_stand(store: Store, found: Matching):
    claimed(store, "running")
    submitted(store, "queued")
    submitted(store, "scheduled", delay_ms=10)
    submitted(store, "dead", dead_reason="not_json")
    submitted(store, "cancelled")
    store.cancel("cancelled", now_ms=NOW)

    for state in (State.RUNNING, State.QUEUED, State.SCHEDULED, State.DEAD, State.CANCELLED):
        assert all_of(found, JobFilter(states=(state,))) == [state.value]
    assert sorted(all_of(found, JobFilter(states=(*FINAL,)))) == ["cancelled", "dead"]
    assert sorted(all_of(found, JobFilter(states=(*WAITING, State.RUNNING)))) == [
        "queued",
        "running",
        "scheduled",
    ]


def test_conditions_are_all_met(store: Store, found: Matching):
    submitted(store, "a", dead_reason="not_json", queue="mail", actor="send", now_ms=NOW)
    submitted(store, "b", dead_reason="not_json", queue="mail", now_ms=NOW + 1)
    submitted(store, "c", dead_reason="too_large", queue="mail", actor="send", now_ms=NOW + 2)
    submitted(store, "d", dead_reason="not_json", actor="send", now_ms=NOW + 3)
    states = (State.DEAD,)

    assert all_of(found, JobFilter(states, queue="mail", actor="send")) == ["a", "c"]
    assert all_of(found, JobFilter(states, since_ms=NOW + 1, until_ms=NOW + 3)) == ["b", "c"]
    store.client.hdel(store.keys.job("b"), "created_at")
    assert all_of(found, JobFilter(states, since_ms=NOW)) == ["a", "c", "d"]


def test_count_stops_at_its_bound_and_says_so(store: Store, found: Matching):
    for number in range(10):
        submitted(store, dead_reason="not_json", now_ms=NOW + number)
    assert found.count(DEAD, 5) == (6, True)


def test_record_of_another_type_does_not_fit(store: Store, found: Matching):
    submitted(store, "foreign", dead_reason="not_json")
    store.client.delete(store.keys.job("foreign"))
    store.client.set(store.keys.job("foreign"), "no record")
    assert all_of(found, DEAD) == []


def test_jobs_of_a_tag_are_found_by_it(store: Store, found: Matching):
    submitted(store, "red-1", tags=("red",), dead_reason="not_json")
    submitted(store, "red-2", tags=("red",))
    submitted(store, "blue", tags=("blue",), dead_reason="not_json")
    submitted(store, "late", tags=("red",), dead_reason="not_json", now_ms=NOW + 9)
    dead = JobFilter(states=(State.DEAD,), tag="red")

    assert all_of(found, dead, NOW) == ["red-1"]
    assert found.to_look_at(dead, NOW) == 2
    assert all_of(found, JobFilter(tag="red"), NOW) == ["red-1", "red-2"]
