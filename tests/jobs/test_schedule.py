"""Definitions of schedules, and what is due."""

import pytest

from worker_service.jobs.errors import InvalidSchedule
from worker_service.jobs.schedule import Definition

NOON = 1_795_003_200_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def read(**fields: object) -> Definition:
    return Definition.read({"actor": "work", **fields})


def test_equal_definitions_have_equal_text():
    one = read(cron="*/5  * * * *", args={"b": 1, "a": [1]}, overlap="skip")
    assert one.to_text() == read(args={"a": [1], "b": 1}, cron="*/5 * * * *").to_text()
    assert one.to_text() != read(cron="*/5 * * * *").to_text()


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({}, "one of cron, every_ms and at"),
        ({"cron": "@daily", "every_ms": 1000}, "one of"),
        (
            {"every_ms": 1000, "start_at": "2030-01-02T00:00:00Z", "end_at": "2030-01-01T00:00:00Z"},
            "before start_at",
        ),
        ({"every_ms": 1000, "jitter_ms": 60_000, "expires_after_ms": 60_000}, "longer than jitter_ms"),
    ],
)
def test_fields_have_to_fit_together(fields: dict[str, object], hint: str):
    with pytest.raises(InvalidSchedule, match=hint):
        read(**fields)


class TestFirst:
    """Where a changed definition begins."""

    def test_a_tick_that_came_and_was_not_fired_is_not_lost(self):
        nightly = read(cron="0 2 * * *").timing()
        two = NOON - 10 * HOUR
        assert nightly.first(NOON, two) == two

    def test_otherwise_it_begins_with_the_next_one(self):
        nightly = read(cron="0 2 * * *").timing()
        assert nightly.first(NOON, None) == nightly.first(NOON, NOON + 5) == NOON + 14 * HOUR


class TestDue:
    def test_ticks_of_the_last_minute_are_all_fired(self):
        due = read(every_ms=10_000, catch_up="skip").timing().due(NOON - 50_000, NOON)
        assert list(due.ticks) == [NOON - k * 10_000 for k in (5, 4, 3, 2, 1, 0)]
        assert (due.missed, due.newest_missed, due.following) == (0, None, NOON + 10_000)

    @pytest.mark.parametrize(("policy", "ticks", "missed"), [("skip", 0, 5), ("latest", 1, 4), ("all", 5, 0)])
    def test_late_ones_are_the_policy_s(self, policy: str, ticks: int, missed: int):
        now = NOON + 30 * MINUTE
        due = read(cron="0 * * * *", catch_up=policy).timing().due(NOON - 4 * HOUR, now)
        assert (len(due.ticks), due.missed) == (ticks, missed)
        assert due.newest_missed == (
            None if policy == "all" else NOON - (1 if policy == "latest" else 0) * HOUR
        )
        assert due.following == NOON + HOUR

    def test_window_bounds_what_is_late(self):
        due = (
            read(cron="0 * * * *", catch_up="all", catch_up_window_ms=2 * HOUR)
            .timing()
            .due(NOON - 9 * HOUR, NOON + MINUTE * 2)
        )
        assert list(due.ticks) == [NOON - HOUR, NOON]
        assert due.missed == 8
