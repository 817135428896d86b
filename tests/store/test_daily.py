"""What the report of a day tells is what is kept of that day."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.store.builders import NOW, a_schedule, claimed, finish
from worker_service import daily
from worker_service.daily import day_before, read_day
from worker_service.jobs.errors import PermanentError
from worker_service.store import Rates, Store
from worker_service.tasks.report.day import Day, Spread

HOUR = 3_600_000
TODAY = date(2027, 1, 15)
MIDNIGHT = NOW - 8 * HOUR
DAY = 24 * HOUR


@pytest.fixture(autouse=True)
def watched(store: Store) -> None:
    """Summed up since the evening before, as by a service that runs."""
    Rates(store.client, store.keys).roll_up(now_ms=MIDNIGHT - HOUR)


def ended(
    store: Store, at_ms: int, *, actor: str = "work", kind: str = "complete", message: str = ""
) -> None:
    job = claimed(store, session=f"s{at_ms}", actor=actor, now_ms=at_ms)
    more = {}
    if kind == "dead_letter":
        error = f'{{"type":"ValueError","message":"{message}","frame":"my:pay","traceback":""}}'
        more = {"reason": "failed", "error": error, "fingerprint": "a" * 16}
    finish(store, job, kind, now_ms=at_ms + 7, **more)
    Rates(store.client, store.keys).roll_up(now_ms=at_ms + 60_000)


def tick(store: Store, name: str, tick_ms: int, late_ms: int, outcome: str = "fired", job: str = "x") -> None:
    fields: dict[Any, Any] = {"tick": str(tick_ms), "cause": "tick", "outcome": outcome, "job": job}
    store.client.xadd(store.keys.ticks(name), fields, id=f"{tick_ms + late_ms}-*")


def test_jobs_are_told_by_hour_and_by_actor_and_those_of_other_days_are_not(store: Store):
    for at_ms in (MIDNIGHT - 60_000, MIDNIGHT, MIDNIGHT + HOUR, NOW):
        ended(store, at_ms)
    ended(store, NOW + 60_000, actor="other", kind="dead_letter", message="no\\nway")

    day = read_day(store, TODAY, now_ms=NOW + HOUR)

    assert [(each.name, each["succeeded"], each["dead"]) for each in day.actors] == [
        ("other", 0, 1),
        ("work", 3, 0),
    ]
    assert [each.ended for each in day.hours] == [1, 1, *[0] * 6, 2, *[0] * 15]
    assert (day.total.ended, day.total.failed_part, day.total.run) == (4, 0.25, Spread(7, 8, 10))
    (failed,) = day.failures
    assert (failed.actor, failed.why, failed.count) == ("other", "ValueError: no", 1)
    assert (day.until_ms, day.has_more_failures) == (NOW + HOUR, False)


def test_ticks_are_told_by_how_late_they_were_fired_on_the_day_of_their_time(store: Store):
    for name in ("each", "quiet"):
        a_schedule(store, name)
    tick(store, "each", MIDNIGHT - 1, 1_000)
    tick(store, "each", MIDNIGHT, 1_500)
    tick(store, "each", MIDNIGHT + HOUR, 20)
    tick(store, "each", MIDNIGHT + 2 * HOUR, 0, "skipped")
    tick(store, "each", MIDNIGHT + 5 * HOUR, HOUR, "missed", "3+")
    tick(store, "each", MIDNIGHT + DAY - 1, 90)

    (found,) = read_day(store, TODAY, now_ms=NOW + DAY).schedules

    assert (found.name, found.late_ms) == ("each", [90, 20, 1500])
    assert (found.fired, found.skipped, found.missed, found.since_ms) == (3, 1, 3, None)
    assert [found.late_quantile_ms(part) for part in (0.5, 0.95, 1)] == [90, 1500, 1500]


def test_schedule_with_more_ticks_than_are_kept_says_since_when(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(daily, "KEPT_TICKS", 3)
    a_schedule(store, "each")
    for minute in range(3):
        tick(store, "each", MIDNIGHT + HOUR + minute * 60_000, 5)
    (found,) = read_day(store, TODAY, now_ms=NOW).schedules
    assert (found.fired, found.since_ms) == (3, MIDNIGHT + HOUR)


def test_day_without_jobs_is_told(store: Store):
    day = read_day(store, TODAY, now_ms=NOW + DAY)
    assert day == Day(TODAY, None, day.total, day.hours, [], [], False, [], False)
    assert (day.total.ended, day.total.run, len(day.hours)) == (0, Spread(None, None, None), 24)


@pytest.mark.parametrize(
    ("day", "words"), [(date(2027, 1, 16), "has not begun"), (date(2026, 12, 11), "35 days")]
)
def test_day_of_which_too_little_is_known_is_refused(store: Store, day: date, words: str):
    with pytest.raises(PermanentError, match=words):
        read_day(store, day, now_ms=NOW)


def test_day_before_an_instant_is_that_of_utc():
    assert day_before(datetime(2027, 1, 1, 2, tzinfo=UTC)) == date(2026, 12, 31)
