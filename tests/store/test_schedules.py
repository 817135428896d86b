"""Definitions of schedules: put, declared, removed, paused; and which scheduler leads."""

from typing import Any

import pytest

from tests.store.builders import NOW, a_schedule, contents, fire, out_of_memory, schedules_of
from worker_service.jobs.errors import StoreFull
from worker_service.store import Damaged, Schedules, Store, StoredSchedule
from worker_service.store.schedules import NONE

HOUR = 3_600_000
LEASE = 3_000
QUIET = 600_000


@pytest.fixture
def schedules(store: Store) -> Schedules:
    return schedules_of(store)


def put(schedules: Schedules, definition: str = '{"a":1}', **fields: Any) -> tuple[str, int]:
    fields = {"next_ms": NOW, **fields}
    return schedules.put("each", definition, uid="u", now_ms=NOW, **fields)


def declare(
    schedules: Schedules, definition: str = '{"a":1}', *, code: int = 1, at: int = NOW, by: str = ""
) -> str:
    by = by or f"host:1:a@{code}-{abs(hash(definition)):x}"
    return schedules.declare(
        "each", definition, uid="u", next_ms=NOW, scheduler=by, quiet_ms=QUIET, now_ms=at
    )


def stored(schedules: Schedules) -> StoredSchedule:
    found = schedules.get("each")
    assert isinstance(found, StoredSchedule)
    return found


def changes(schedules: Schedules) -> int:
    return schedules.lead("watcher", LEASE, leaves=True, now_ms=NOW).changes


class TestPut:
    def test_new_one_can_be_read(self, schedules: Schedules):
        assert put(schedules) == ("created", 1)
        found = stored(schedules)
        assert (found.uid, found.version, found.definition, found.source) == ("u", 1, {"a": 1}, "api")
        assert (found.next_ms, found.last_ms, found.created_at_ms) == (NOW, None, NOW)
        assert schedules.names() == ["each"]

    def test_same_definition_changes_nothing(self, store: Store, schedules: Schedules):
        put(schedules)
        before = contents(store)
        assert put(schedules, next_ms=NOW + 5, expected=NONE) == ("unchanged", 1)
        assert contents(store) == before

    def test_replaced_one_keeps_who_it_is_and_what_was_fired(self, store: Store, schedules: Schedules):
        ref = a_schedule(store)
        fire(store, ref, NOW)
        assert schedules.put("each", "{}", uid="other", next_ms=NOW + HOUR) == ("updated", 2)
        found = stored(schedules)
        assert (found.uid, found.last_ms, found.next_ms, found.runs) == (ref.uid, NOW, NOW + HOUR, 1)

    @pytest.mark.parametrize(
        ("there", "expected", "word"),
        [
            (0, "u-1", "conflict"),
            (1, NONE, "conflict"),
            (2, "u-1", "conflict"),
            (2, "other-2", "conflict"),
            (2, "u-2", "updated"),
            (0, NONE, "created"),
            (2, None, "updated"),
        ],
    )
    def test_version_has_to_be_the_expected_one(
        self, schedules: Schedules, there: int, expected: str | None, word: str
    ):
        for version in range(there):
            put(schedules, f'{{"a":{version}}}')
        assert put(schedules, '{"new":1}', expected=expected)[0] == word

    def test_change_is_told_to_schedulers(self, store: Store, schedules: Schedules):
        before = changes(schedules)
        put(schedules)
        schedules.pause("each", {})
        schedules.resume("each", 1, NOW)
        schedules.remove("each")
        assert changes(schedules) == before + 4
        assert store.client.exists(store.keys.bell("schedulers"))


class TestDeclare:
    def test_it_goes_forward_to_newer_code_and_not_back(self, schedules: Schedules):
        assert declare(schedules, code=5) == "created"
        assert declare(schedules, code=4) == "unchanged"
        assert declare(schedules, '{"b":2}', code=4) == "older"
        assert declare(schedules, '{"c":3}', code=6) == "updated"
        assert declare(schedules, code=5) == "older"
        assert (stored(schedules).definition, stored(schedules).code) == ({"c": 3}, 6)

    def test_older_code_has_its_way_when_the_newer_one_is_silent(self, schedules: Schedules):
        declare(schedules, code=5)
        assert declare(schedules, '{"b":2}', code=4, at=NOW + QUIET - 1) == "older"
        assert declare(schedules, '{"b":2}', code=4, at=NOW + QUIET) == "updated"
        assert stored(schedules).code == 4

    def test_code_of_the_same_version_has_its_way_when_no_scheduler_lives_that_declares_the_other(
        self, schedules: Schedules
    ):
        old, also_old, new = "h:1:a@5-aa", "h:2:b@5-aa", "h:3:c@5-bb"
        for each in (old, also_old, new):
            schedules.lead(each, LEASE, now_ms=NOW)
        assert declare(schedules, by=old) == "created"
        assert declare(schedules, by=also_old) == "unchanged"
        schedules.lead(also_old, LEASE, leaves=True, now_ms=NOW)
        assert declare(schedules, '{"b":2}', by=new) == "older"
        schedules.lead(old, LEASE, leaves=True, now_ms=NOW)
        assert declare(schedules, '{"b":2}', by=new) == "updated"
        schedules.lead(old, LEASE, now_ms=NOW)
        assert declare(schedules, by=old) == "older"

    def test_definition_that_was_damaged_is_repaired_by_who_declares_it(
        self, store: Store, schedules: Schedules
    ):
        schedules.lead("h:1:a@5-aa", LEASE, now_ms=NOW)
        declare(schedules, by="h:1:a@5-aa")
        store.client.hset(store.keys.schedule("each"), "definition", "{")
        assert declare(schedules, by="h:1:a@5-aa") == "updated"
        assert stored(schedules).definition == {"a": 1}

    def test_key_of_another_type_is_told(self, store: Store, schedules: Schedules):
        store.client.set(store.keys.schedule("each"), "x")
        assert declare(schedules) == "damaged"

    def test_schedule_of_the_api_is_left_alone_and_so_is_one_of_code(self, schedules: Schedules):
        put(schedules)
        assert declare(schedules, "{}") == "taken"
        schedules.remove("each")
        declare(schedules)
        assert put(schedules, "{}") == ("from_code", 1)
        assert schedules.remove("each") == "from_code"

    def test_one_that_no_code_declares_is_retired(self, schedules: Schedules):
        declare(schedules)
        assert schedules.declared_before(NOW - 1) == []
        assert schedules.retire("each", NOW - 1) == "declared"
        assert schedules.declared_before(NOW) == ["each"]
        assert schedules.retire("each", NOW) == "removed"
        assert schedules.retire("each", NOW) == "unknown"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("version", "x"), ("version", "9" * 17), ("code", "x"), ("declared_at", ""), ("next", "9" * 18),
            ("last", "1_0"), ("last", "9" * 20), ("runs", "-1"), ("created_at", "0x1"), ("uid", '"'), ("source", "x"),
        ],
    )  # fmt: skip
    def test_damaged_one_is_declared_anew(self, store: Store, schedules: Schedules, field: str, value: str):
        declare(schedules)
        store.client.hset(store.keys.schedule("each"), field, value)
        assert isinstance(schedules.get("each"), Damaged)
        word = schedules.declare(
            "each", '{"a":1}', uid="u", next_ms=NOW + HOUR, scheduler="h:1:a@2-0", quiet_ms=QUIET, now_ms=NOW
        )
        assert word == "updated"
        found = stored(schedules)
        assert (found.code, found.next_ms, found.source) == (2, NOW + HOUR, "code")
        assert found.last_ms in (None, NOW)

    def test_repeated_it_only_says_that_it_is_alive(self, schedules: Schedules):
        declare(schedules)
        before = changes(schedules)
        assert declare(schedules, at=NOW + HOUR) == "unchanged"
        assert stored(schedules).declared_at_ms == NOW + HOUR
        assert changes(schedules) == before


class TestTickThatWasFiredMeanwhile:
    """Whoever wants to begin with it has to look again, so that the next tick is later than the last one."""

    def test_it_is_told_and_changes_nothing(self, store: Store, schedules: Schedules):
        fire(store, a_schedule(store), NOW)
        before = contents(store)
        assert put(schedules, '{"b":2}', next_ms=NOW) == ("behind", 1)
        assert contents(store) == before
        assert put(schedules, '{"b":2}', next_ms=NOW + 1)[0] == "updated"

    def test_so_it_is_for_code(self, store: Store, schedules: Schedules):
        declare(schedules)
        fire(store, stored(schedules).ref, NOW)
        assert declare(schedules, '{"b":2}', code=2) == "behind"
        assert stored(schedules).version == 1

    def test_so_it_is_where_a_pause_ends(self, store: Store, schedules: Schedules):
        fire(store, a_schedule(store), NOW)
        schedules.pause("each", {})
        assert schedules.resume("each", 1, NOW) == "changed"
        assert schedules.resume("each", 1, NOW + 1) == "resumed"


class TestRemove:
    def test_all_of_it_goes(self, store: Store, schedules: Schedules):
        fire(store, a_schedule(store), NOW)
        assert schedules.remove("each", expected="uid-each-2") == "conflict"
        assert schedules.remove("each", expected="uid-each-1") == "removed"
        assert schedules.remove("each") == "unknown"
        assert schedules.names() == []
        assert schedules.history("each", 9) == []
        assert schedules.get("each") is None

    def test_damaged_one_goes_too(self, store: Store, schedules: Schedules):
        a_schedule(store)
        store.client.delete(store.keys.schedule("each"))
        assert schedules.remove("each", expected="uid-each-1") == "conflict"
        assert schedules.remove("each") == "removed"
        a_schedule(store)
        store.client.delete(store.keys.schedule("each"))
        store.client.set(store.keys.schedule("each"), "x")
        assert schedules.remove("each") == "removed"
        assert schedules.remove("each") == "unknown"
        assert schedules.get("each") is None

    def test_full_server_lets_it_go(self, limited: Store):
        a_schedule(limited)
        with out_of_memory(limited.client):
            with pytest.raises(StoreFull):
                a_schedule(limited, "other")
            assert schedules_of(limited).remove("each") == "removed"


class TestPause:
    def test_paused_one_has_no_place_among_those_to_come(self, store: Store, schedules: Schedules):
        a_schedule(store)
        assert schedules.pause("each", {"note": "why"}) == "paused"
        assert store.client.zscore(store.keys.schedules, "each") == float("inf")
        assert stored(schedules).pause == {"note": "why"}
        assert schedules.resume("each", 1, NOW + HOUR) == "resumed"
        assert (stored(schedules).pause, stored(schedules).next_ms) == (None, NOW + HOUR)
        assert schedules.resume("each", 1, NOW) == "resumed"
        assert stored(schedules).next_ms == NOW + HOUR

    def test_replaced_while_paused_it_stays_paused(self, store: Store, schedules: Schedules):
        put(schedules)
        schedules.pause("each", {})
        put(schedules, '{"b":2}')
        assert store.client.zscore(store.keys.schedules, "each") == float("inf")
        assert schedules.resume("each", 1, NOW) == "changed"
        assert schedules.resume("each", 2, NOW) == "resumed"

    def test_unknown_ones_are_named(self, schedules: Schedules):
        assert schedules.pause("each", {}) == schedules.resume("each", 1, NOW) == "unknown"


class TestMiss:
    def test_schedule_moves_on_without_a_job(self, store: Store, schedules: Schedules):
        ref = a_schedule(store)
        assert schedules.miss(ref, NOW, NOW + HOUR, 60, next_ms=NOW + 2 * HOUR) == "missed"
        assert schedules.miss(ref, NOW, NOW + HOUR, 60, next_ms=NOW + 2 * HOUR) == "already"
        found = stored(schedules)
        assert (found.last_ms, found.next_ms, found.missed) == (NOW + HOUR, NOW + 2 * HOUR, 60)
        (tick,) = schedules.history("each", 9)
        assert (tick.outcome, tick.count, tick.job) == ("missed", 60, None)
        assert fire(store, ref, NOW) == "already"
        schedules.pause("each", {})
        assert schedules.miss(ref, NOW + 2 * HOUR, NOW + 2 * HOUR, 1, next_ms=None) == "changed"

    def test_ticks_that_another_one_fired_are_not_given_up(self, store: Store, schedules: Schedules):
        ref = a_schedule(store)
        fire(store, ref, NOW, next_ms=NOW + HOUR)
        before = contents(store)
        assert schedules.miss(ref, NOW, NOW + 2 * HOUR, 3, next_ms=NOW + 3 * HOUR) == "changed"
        assert contents(store) == before

    def test_counting_that_was_cut_is_told(self, store: Store, schedules: Schedules):
        schedules.miss(a_schedule(store), NOW, NOW + HOUR, 60, next_ms=NOW + 2 * HOUR, or_more=True)
        (tick,) = schedules.history("each", 9)
        assert (tick.count, tick.or_more) == (60, True)

    def test_instant_that_is_no_tick_is_left_without_a_word(self, store: Store, schedules: Schedules):
        ref = a_schedule(store)
        assert schedules.miss(ref, NOW, NOW, 0, next_ms=NOW + HOUR) == "missed"
        found = stored(schedules)
        assert (found.last_ms, found.next_ms, found.missed) == (None, NOW + HOUR, 0)
        assert schedules.history("each", 9) == []


class TestHindered:
    def test_reason_goes_with_the_next_tick_or_definition(self, store: Store, schedules: Schedules):
        ref = a_schedule(store)
        assert schedules.hinder(ref, "why" * 1000) == "hindered"
        assert stored(schedules).hindered == ("why" * 1000)[:500]
        fire(store, ref, NOW)
        assert stored(schedules).hindered is None
        schedules.hinder(ref, "why")
        put(schedules, '{"b":2}', next_ms=NOW + HOUR)
        assert stored(schedules).hindered is None
        assert schedules.hinder(ref, "why") == "changed"


class TestLead:
    def test_one_whose_lease_ran_out_does_not_live(self, schedules: Schedules):
        schedules.lead("a", LEASE)
        schedules.lead("b", LEASE, now_ms=NOW - 10**12)
        assert set(schedules.schedulers()) == {"a", "b"}
        assert schedules.live_schedulers() == ["a"]

    def test_one_leads_until_it_is_silent(self, schedules: Schedules):
        assert schedules.lead("a", LEASE).leads
        assert not schedules.lead("b", LEASE).leads
        assert schedules.lead("a", LEASE).leads
        assert schedules.leader() == "a"
        assert set(schedules.schedulers()) == {"a", "b"}

    def test_who_leaves_makes_room_at_once(self, schedules: Schedules):
        schedules.lead("a", LEASE)
        schedules.lead("b", LEASE)
        assert not schedules.lead("a", LEASE, leaves=True).leads
        assert schedules.lead("b", LEASE).leads
        assert set(schedules.schedulers()) == {"b"}

    def test_who_did_not_lead_before_is_told_so(self, schedules: Schedules):
        assert schedules.lead("a", LEASE, now_ms=NOW).is_new
        assert not schedules.lead("a", LEASE, now_ms=NOW).is_new
        schedules.lead("a", LEASE, leaves=True, now_ms=NOW)
        assert schedules.lead("b", LEASE, now_ms=NOW).is_new

    def test_newer_code_takes_the_lead_and_older_code_leaves_it_alone(self, schedules: Schedules):
        old, new, other = "h:1:a@4-aa", "h:2:b@5-bb", "h:3:c@5-cc"
        assert schedules.lead(old, LEASE, now_ms=NOW).leads
        assert schedules.lead(new, LEASE, now_ms=NOW).leads
        assert not schedules.lead(old, LEASE, now_ms=NOW).leads
        assert not schedules.lead(other, LEASE, now_ms=NOW).leads
        assert schedules.lead(new, LEASE, leaves=True, now_ms=NOW).leads is False
        assert not schedules.lead(old, LEASE, now_ms=NOW).leads  # newer code lives still
        assert schedules.lead(other, LEASE, now_ms=NOW).leads
        schedules.lead(other, LEASE, leaves=True, now_ms=NOW)
        assert schedules.lead(old, LEASE, now_ms=NOW).leads

    def test_newer_code_that_is_silent_does_not_keep_older_code_from_leading(self, schedules: Schedules):
        schedules.lead("h:2:b@5-bb", LEASE, now_ms=NOW)
        schedules.lead("h:2:b@5-bb", LEASE, leaves=True, now_ms=NOW)
        assert schedules.lead("h:1:a@4-aa", LEASE, now_ms=NOW + LEASE).leads

    def test_the_lead_ends_with_its_lease(self, store: Store, schedules: Schedules):
        schedules.lead("a", LEASE)
        left: int = store.client.pttl(store.keys.leader)
        assert 0 < left <= LEASE


class TestDamage:
    @pytest.mark.parametrize(
        "field", ["definition", "uid", "version", "source", "created_at", "next", "paused"]
    )
    @pytest.mark.parametrize("value", ["", "x", "[]"])
    def test_damaged_one_is_told_apart_and_hides_no_other(
        self, store: Store, schedules: Schedules, field: str, value: str
    ):
        a_schedule(store, "other")
        a_schedule(store)
        store.client.hset(store.keys.schedule("each"), field, value)
        found = {each.name: each for each in schedules.read(schedules.names())}
        assert isinstance(found["other"], StoredSchedule)
        each = found["each"]
        if field == "paused":
            assert isinstance(each, StoredSchedule)
            assert each.pause == {}
        elif (field, value) not in (("uid", "x"), ("uid", "[]")):
            assert isinstance(each, Damaged)

    def test_names_that_none_can_have_are_told(self, store: Store, schedules: Schedules):
        a_schedule(store)
        store.client.zadd(store.keys.schedules, {b"caf\xe9": 1, b"a b": 2})
        one, two, three = sorted(schedules.all(), key=lambda each: each.name)
        assert isinstance(one, Damaged)
        assert isinstance(two, Damaged)
        assert (one.name, two.name, three.name) == ("a b", "caf\\xe9", "each")
        assert schedules.names() == schedules.overdue(NOW) == ["each"]

    def test_history_that_is_damaged_is_read_as_far_as_it_goes_and_holds_up_no_tick(
        self, store: Store, schedules: Schedules
    ):
        ref = a_schedule(store)
        fire(store, ref, NOW)
        store.client.xadd(store.keys.ticks("each"), {"outcome": "missed", "tick": "x"})
        assert [tick.tick_ms for tick in schedules.history("each", 9)] == [NOW]
        store.client.delete(store.keys.ticks("each"))
        store.client.set(store.keys.ticks("each"), "x")
        assert schedules.history("each", 9) == []
        assert fire(store, ref, NOW + HOUR) == "fired"
        assert stored(schedules).runs == 2

    def test_key_of_another_type_is_damage_too(self, store: Store, schedules: Schedules):
        a_schedule(store)
        store.client.delete(store.keys.schedule("each"))
        store.client.set(store.keys.schedule("each"), "x")
        assert isinstance(schedules.get("each"), Damaged)
