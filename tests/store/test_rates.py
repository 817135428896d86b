"""What was counted is summed up once a minute: per ten minutes and hour, and over all actors."""

import pytest

from tests.store.builders import NOW, claimed, finish, submitted
from worker_service.store import Rates, Store
from worker_service.store.rates import ALL, AT_ONCE, MINUTES_KEPT_MS, Span

MINUTE = 60_000
HOUR = 60 * MINUTE
START = NOW - NOW % HOUR
"""The beginning of an hour."""


@pytest.fixture
def rates(store: Store) -> Rates:
    """Summed up a minute before the hour began, as by a service that runs."""
    found = Rates(store.client, store.keys)
    found.roll_up(now_ms=START - MINUTE)
    return found


def ended(store: Store, at_ms: int, actor: str = "work") -> None:
    """A job of this actor that was created, claimed and completed then, after 7 ms."""
    finish(
        store, claimed(store, session=f"s{at_ms}", actor=actor, now_ms=at_ms), "complete", now_ms=at_ms + 7
    )


def succeeded(rates: Rates, actor: str, span: Span, number: int, now_ms: int) -> list[int]:
    points = rates.series(actor, span, number, now_ms=now_ms)
    assert [point.at_ms % span.ms for point in points] == [0] * number
    assert points[-1].at_ms <= now_ms < points[-1].at_ms + span.ms
    return [point.counts.get("succeeded", 0) for point in points]


def test_minutes_are_summed_up_per_actor_and_over_all(store: Store, rates: Rates):
    for minute in (0, 1, 1, 9, 10, 61):
        ended(store, START + minute * MINUTE)
    ended(store, START + MINUTE, actor="other")
    now = START + 62 * MINUTE

    assert rates.roll_up(now_ms=now)

    assert succeeded(rates, "work", Span.TEN, 7, now) == [4, 1, 0, 0, 0, 0, 1]
    assert succeeded(rates, ALL, Span.TEN, 7, now) == [5, 1, 0, 0, 0, 0, 1]
    assert succeeded(rates, "other", Span.HOUR, 2, now) == [1, 0]
    assert succeeded(rates, ALL, Span.HOUR, 2, now) == [6, 1]
    assert succeeded(rates, ALL, Span.MINUTE, 63, now)[:3] == [1, 3, 0]
    found = rates.of_hours(START // HOUR, 2)
    assert [each.counts.get("run_ms") for each in found["work"]] == [5 * 7, 7]
    assert [each.counts.get("succeeded") for each in found["other"]] == [1, None]
    assert list(found) == ["other", "work"]


def test_histograms_and_sums_of_durations_are_summed_up_too(store: Store, rates: Rates):
    ended(store, START)
    ended(store, START + MINUTE)
    rates.roll_up(now_ms=START + 2 * MINUTE)
    (point,) = rates.series("work", Span.HOUR, 1, now_ms=START + 2 * MINUTE)
    assert (point.counts["run_ms"], point.counts["run_le_10"], point.counts["wait_le_5"]) == (14, 2, 2)


def test_it_is_done_once_in_a_minute(store: Store, rates: Rates):
    ended(store, START)
    assert rates.roll_up(now_ms=START + 1)
    assert not rates.roll_up(now_ms=START + MINUTE - 1)
    assert rates.roll_up(now_ms=START + MINUTE)


def test_span_that_goes_on_grows(store: Store, rates: Rates):
    for minute in range(12):
        ended(store, START + minute * MINUTE)
        assert rates.roll_up(now_ms=START + minute * MINUTE + 30_000)
    now = START + 12 * MINUTE
    assert succeeded(rates, "work", Span.TEN, 2, now) == [10, 2]
    assert succeeded(rates, ALL, Span.HOUR, 1, now) == [12]


def test_process_that_dies_at_it_is_made_up_for(store: Store, rates: Rates):
    ended(store, START + 9 * MINUTE)
    store._scripts.run("begin_roll_up", START + 10 * MINUTE, 300, 50_000)  # ... and nothing else
    assert rates.roll_up(now_ms=START + 11 * MINUTE)
    assert succeeded(rates, "work", Span.TEN, 2, START + 11 * MINUTE) == [1, 0]


def test_hours_without_a_process_that_sums_up_are_made_up_for(store: Store, rates: Rates):
    ended(store, START + MINUTE)
    now = START + 4 * HOUR
    rates.roll_up(now_ms=now)
    assert succeeded(rates, ALL, Span.HOUR, 5, now) == [1, 0, 0, 0, 0]


def test_sum_is_not_made_again_of_minutes_that_are_gone(store: Store, rates: Rates):
    ended(store, START)
    rates.roll_up(now_ms=START)
    store.client.delete(store.keys.minute("work", START // MINUTE))
    now = START + MINUTES_KEPT_MS
    ended(store, now)
    rates.roll_up(now_ms=now)
    assert succeeded(rates, "work", Span.HOUR, 7, now) == [1, 0, 0, 0, 0, 0, 1]


def test_clock_that_was_far_ahead_does_not_hold_up_the_next_ones(store: Store, rates: Rates):
    rates.roll_up(now_ms=START + 1000 * HOUR)
    ended(store, START)
    assert rates.roll_up(now_ms=START + MINUTE)
    assert succeeded(rates, ALL, Span.HOUR, 1, START + MINUTE) == [1]


def test_what_is_kept_has_an_end(store: Store, rates: Rates):
    ended(store, START)
    rates.roll_up(now_ms=START)
    keys = [
        store.keys.minute(ALL, START // MINUTE),
        store.keys.ten("work", START // (10 * MINUTE)),
        store.keys.hour("work", START // HOUR),
        store.keys.hour(ALL, START // HOUR),
    ]
    lives = [store.client.pttl(key) for key in keys]
    ends = [Span.MINUTE.kept_ms, Span.TEN.kept_ms, Span.HOUR.kept_ms, Span.HOUR.kept_ms]
    assert all(end - MINUTE < life <= end for life, end in zip(lives, ends, strict=True))


def test_actor_that_counts_nothing_any_more_is_forgotten(store: Store, rates: Rates):
    submitted(store, now_ms=START)
    rates.roll_up(now_ms=START)
    assert store.client.zrange(store.keys.counted, 0, -1) == [b"work"]
    rates.roll_up(now_ms=START + Span.HOUR.kept_ms + MINUTE)
    assert store.client.zrange(store.keys.counted, 0, -1) == []


def test_key_of_another_type_is_passed_over(store: Store, rates: Rates):
    store.client.set(store.keys.minute("work", START // MINUTE), "x")
    store.client.set(store.keys.ten("work", START // (10 * MINUTE)), "x")
    ended(store, START + MINUTE)
    assert rates.roll_up(now_ms=START + MINUTE)
    assert succeeded(rates, "work", Span.HOUR, 1, START + MINUTE) == [1]


def test_more_actors_than_fit_into_one_round_trip_are_summed_up(store: Store, rates: Rates):
    for n in range(AT_ONCE):
        submitted(store, actor=f"actor-{n}", now_ms=START)
    rates.roll_up(now_ms=START)
    for actor, number in ((ALL, AT_ONCE), (f"actor-{AT_ONCE - 1}", 1)):
        (point,) = rates.series(actor, Span.HOUR, 1, now_ms=START)
        assert point.counts == {"enqueued": number}
