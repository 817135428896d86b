"""The doctor names each kind of damage, repairs it, and finds nothing that is not there."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.store.builders import (
    LEASE,
    NOW,
    RUN_ID,
    a_job,
    a_schedule,
    a_session,
    claim,
    fields_of,
    fire,
    out_of_memory,
    outcome,
)
from tests.store.damages import DAMAGES, Damage
from tests.store.healthy import STATES, populate
from tests.store.vandal import Vandal
from worker_service.broker.groups import KEEP_MS
from worker_service.jobs.states import State
from worker_service.store import Queries, Store
from worker_service.store.doctor import (
    Report,
    belongings,
    examine,
    groups,
    jobs,
    keyspace,
    locks,
    places,
    queues,
    sessions,
    totals,
)
from worker_service.store.keys import Keys
from worker_service.store.schema import SCHEMA
from worker_service.store.scripts import source

LATER = NOW + 1_000


def look(store: Store, *, repair: bool = False, now_ms: int = LATER) -> Report:
    return examine(store.client, store.namespace, repair=repair, now_ms=now_ms)


def found(report: Report) -> set[tuple[str, str]]:
    return {(finding.what, finding.subject) for finding in report.findings}


def dumped(store: Store) -> dict[bytes, Any]:
    """All that the namespace holds, as the server writes it down."""
    keys = store.client.scan_iter(match=store.keys.prefix + "*", count=1000)
    return {key: store.client.dump(key) for key in keys}


def run_to_the_end(store: Store) -> None:
    """Rescues and workers go on until nothing waits or runs."""
    at = NOW + 100_000
    store.resume("mail")
    for _ in range(12):
        at += LEASE // 5
        store.rescue(LEASE, RUN_ID, now_ms=at)
    for number in range(4):
        session = a_session(store, f"later-{number}", now_ms=at)
        queues = [queue.decode() for queue in store.client.hkeys(store.keys.queues)]  # type: ignore[union-attr]
        for _ in range(20):
            jobs = claim(store, 50, session=session, queues=queues, now_ms=at).jobs
            store.finish([outcome(job, "complete") for job in jobs], now_ms=at)
            at += 1_000
        store.close_session(session, now_ms=at)


@pytest.fixture
def redis_url(emptied_url: str) -> str:
    """The doctor looks at every key of a server: one without those of other tests."""
    return emptied_url


@pytest.fixture
def populated(store: Store) -> Store:
    """A store with jobs in every state."""
    populate(store)
    return store


class TestHealthyNamespace:
    def test_every_state_is_there(self, populated: Store):
        for state in STATES:
            for number in "12":
                assert fields_of(populated, f"{state}-{number}")["state"] == state

    @pytest.mark.parametrize("repair", [False, True])
    def test_nothing_is_found(self, populated: Store, repair: bool):
        report = look(populated, repair=repair)

        assert report.findings == []
        assert report.notes == []
        assert report.looked_at["jobs"] >= 2 * len(STATES)

    def test_an_empty_one_is_well(self, store: Store):
        assert look(store).findings == []

    def test_a_group_whose_members_are_still_on_their_way_is_left_alone(self, populated: Store):
        populated.create_group("young", 2, KEEP_MS)
        populated.client.hset(populated.keys.group("young"), "callbacks", "")

        assert look(populated, repair=True).findings == []

    def test_a_lock_that_lasts_for_a_window_outlives_its_owner(self, populated: Store):
        populated.cancel("window", now_ms=NOW)
        populated.prune({"cancelled": (0, 0)}, now_ms=NOW + 1)
        assert populated.client.exists(populated.keys.unique("w"))

        assert look(populated, repair=True).findings == []

    def test_a_bell_that_was_rung_late_is_not_told_and_goes_with_a_repair(self, populated: Store):
        populated.ring("gone")

        assert look(populated).findings == []
        assert look(populated, repair=True).findings == []

        assert not populated.client.exists(populated.keys.bell("gone"))


class TestCounters:
    """They are judged when that is possible; a note says when it is not."""

    def lose_an_end(self, store: Store) -> None:
        store.client.hincrby(store.keys.total("work"), "succeeded", -1)

    def test_what_is_missing_is_counted_as_lost_and_no_counter_decreases(
        self, populated: Store, reads: Queries
    ):
        self.lose_an_end(populated)
        before = reads.totals("work")

        look(populated, repair=True)

        assert reads.totals("work") == {**before, "lost": 1}

    @pytest.mark.parametrize("limit", ["MOST_ACTIVE", "MOST_ACTORS"])
    def test_too_many_are_not_judged(self, populated: Store, monkeypatch: pytest.MonkeyPatch, limit: str):
        self.lose_an_end(populated)
        monkeypatch.setattr(totals, limit, 0)

        report = look(populated)

        assert report.findings == []
        assert len(report.notes) == 1

    def test_they_are_judged_beside_a_key_that_nobody_knows(self, populated: Store):
        populated.client.set(populated.keys.prefix + "strange", "x")
        self.lose_an_end(populated)

        report = look(populated, repair=True)

        assert found(report) == {("unknown_key", "strange"), ("too_few_ends", "work")}
        assert [finding.what for finding in report.left] == ["unknown_key"]
        assert report.repairable == []
        assert report.notes == []

    def test_they_are_not_judged_while_jobs_are_missing(self, populated: Store):
        populated.client.delete(populated.keys.ready("mail"))

        report = look(populated)

        assert {what for what, _ in found(report)} == {"misplaced"}
        assert len(report.notes) == 1


@pytest.mark.parametrize("damage", [("definition", "{"), ("definition", '{"actor":"work"}')])
def test_schedule_that_cannot_be_used_is_told_and_keeps_nothing_else_from_being_judged(
    populated: Store, damage: tuple[str, str]
):
    populated.client.hset(populated.keys.schedule("each"), *damage)

    report = look(populated, repair=True)

    assert found(report) == {("damaged_schedule", "each")}
    assert report.notes == []


def test_each_thing_is_told_once_however_many_schedules_there_are(populated: Store):
    fire(populated, a_schedule(populated, "other"), NOW, a_job("tock", queue="mail", run_at_ms=NOW))
    populated.client.hset(populated.keys.meta, "rescue_at", "x")
    populated.client.hset(populated.keys.schedule("other"), "last", "x")

    told = [finding.subject for finding in look(populated).findings]

    assert sorted(told) == ["meta rescue_at", "other", "schedule other"]


def test_schema_that_is_lost_is_written_anew(populated: Store):
    populated.client.hdel(populated.keys.meta, "schema")

    look(populated, repair=True)

    assert populated.client.hget(populated.keys.meta, "schema") == str(SCHEMA).encode()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=[kind.replace(" ", "-") for kind in DAMAGES])
def test_damage_is_named_and_repaired_and_its_job_runs_to_its_end(
    populated: Store, reads: Queries, damage: Damage
):
    damage.plant(populated.client, populated.keys)
    before = dumped(populated)

    named = look(populated)
    assert found(named) == damage.found
    assert named.left == named.findings
    assert dumped(populated) == before

    repaired = look(populated, repair=True)
    assert found(repaired) & damage.found
    assert repaired.left == []
    assert look(populated).findings == []

    if damage.replays:
        assert populated.replay([damage.job], "again", now_ms=LATER) == ["replayed"]
    run_to_the_end(populated)
    if damage.job:
        assert reads.state(damage.job) is State.SUCCEEDED
    assert look(populated, now_ms=NOW + 1_000_000).findings == []


def test_a_repair_passes_when_the_server_is_out_of_memory(limited: Store):
    populate(limited)
    limited.client.delete(limited.keys.ready("mail"), limited.keys.final("dead"))

    with out_of_memory(limited.client):
        repaired = look(limited, repair=True)

    assert repaired.findings
    assert repaired.left == []
    assert look(limited).findings == []


@pytest.mark.parametrize("seed", range(60))
def test_random_damage_is_repaired_at_once_and_loses_no_job(populated: Store, reads: Queries, seed: int):
    vandal = Vandal(populated, seed)
    for _ in range(1 + seed % 20):
        vandal.strike()
    messages = populated.keys.msg("")
    left = list(populated.client.scan_iter(match=messages + "*", count=1000, _type="string"))

    repaired = look(populated, repair=True)

    assert repaired.repairable == []
    ended = {finding.subject for finding in repaired.findings if finding.what == "remains"}
    for id in {key.decode().removeprefix(messages) for key in left} - ended:
        assert reads.state(id) is not None
    assert look(populated).repairable == []
    run_to_the_end(populated)
    assert look(populated, now_ms=NOW + 1_000_000).repairable == []


MODULES = (belongings, groups, jobs, keyspace, locks, places, queues, sessions, totals)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.CHECK)
def test_each_word_of_a_script_has_its_sentence_where_the_script_is_run(module: Any):
    verbs = re.findall(r'"(examine_\w+)"', Path(module.__file__).read_text())
    calls = [
        call for verb in verbs for call in re.findall(r"finding\((.*?), (?:function|mend)", source(verb))
    ]
    words = {word for call in calls for word in re.findall(r"'(\w+)'", call)}

    assert words == set(module.SAYS) - {"unknown_key"}  # for which no script is needed


def test_every_key_has_its_type():
    families = {name for name in dir(Keys("x")) if not name.startswith("_")} - {
        "prefix",
        "event",
        "changed",
        "aside",
    }

    assert len(families) == len(keyspace.TYPES) + len(keyspace.FAMILIES)
    assert {getattr(Keys("x"), name) for name in keyspace.TYPES} == {
        f"{{x}}:{name}" for name in keyspace.TYPES
    }
