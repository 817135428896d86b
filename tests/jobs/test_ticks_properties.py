"""Any cron, in any zone, against two others: a clock that is looked at every minute, and cronsim."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.jobs.crons import DAY, ZONES, Spec, moments, specs
from worker_service.jobs.cron import Cron, parse_cron
from worker_service.jobs.intervals import LONGEST_MS
from worker_service.jobs.ticks import At, Every, Trigger, next_tick

MINUTE = timedelta(minutes=1)
WHOLE_HOURS_AWAY_FROM_MIDNIGHT = ("Europe/Paris", "Antarctica/Troll", "UTC")
WARM_UP = 4 * 3600
"""Longer than clocks of any of these zones are set back."""


class Case(NamedTuple):
    spec: Spec
    zone: str
    at: int


def cases(specs: st.SearchStrategy[Spec]) -> st.SearchStrategy[Case]:
    in_zone = {zone: st.builds(Case, specs, st.just(zone), moments(zone)) for zone in ZONES}
    return st.sampled_from(ZONES).flatmap(in_zone.__getitem__)


ANY = cases(specs())
ON_MOST_DAYS = cases(specs(often=True))


def hold(claim: Callable[..., None], cases: Any, examples: int, *, derandomize: bool) -> None:
    settings(
        max_examples=examples,
        derandomize=derandomize,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )(given(cases)(claim))()


def ticks(trigger: Trigger, zone: tzinfo, after: int, until: int) -> list[int]:
    """In seconds."""
    found: list[int] = []
    tick = next_tick(trigger, after * 1000, zone)
    while tick is not None and tick <= until * 1000:
        assert tick % 60_000 == 0
        assert not found or tick // 1000 > found[-1]
        found.append(tick // 1000)
        tick = next_tick(trigger, tick, zone)
    return found


def watched(spec: Spec, zone: tzinfo, after: int, until: int) -> list[int]:
    """What cron does that looks at the clock each minute, and keeps a clock of its own that never goes back."""
    found = []
    own = datetime.fromtimestamp(after - WARM_UP, zone).replace(tzinfo=None)
    for at in range((after - WARM_UP) // 60 * 60, until + 1, 60):
        shown = datetime.fromtimestamp(at, zone).replace(tzinfo=None)
        if spec.by_real_time:
            due = spec.matches(shown)
        else:
            due = False
            while own < shown:
                own += MINUTE - timedelta(seconds=own.second)
                due = due or spec.matches(own)
        if due and at > after:
            found.append(at)
    return found


def are_those_of_a_watched_clock(case: Case) -> None:
    zone, until = ZoneInfo(case.zone), case.at + DAY + WARM_UP
    assert ticks(Trigger(parse_cron(case.spec.text)), zone, case.at, until) == watched(
        case.spec, zone, case.at, until
    )


def test_ticks_are_those_of_a_clock_that_is_looked_at_every_minute():
    hold(are_those_of_a_watched_clock, ON_MOST_DAYS, 150, derandomize=True)


@pytest.mark.soak
def test_many_ticks_are_those_of_a_clock_that_is_looked_at_every_minute():
    hold(are_those_of_a_watched_clock, ON_MOST_DAYS, 4_000, derandomize=False)


def are_those_of_cronsim(case: Case) -> None:
    """Where cronsim keeps Debian's rule. Where it does not:

    - Real time: it steps from hour to hour by 60 minutes, so it enters one late after a change by half an hour;
      and it starts each day at midnight, so it fires at a midnight that is left out, and falls back for ever to
      one that is shown twice.
    - Fixed times, asked while clocks show a time again: it answers with an instant that has passed.
    """
    zone = ZoneInfo(case.zone)
    start = datetime.fromtimestamp(case.at, zone)
    assume(case.zone in WHOLE_HOURS_AWAY_FROM_MIDNIGHT if case.spec.by_real_time else not start.fold)
    trigger = Trigger(parse_cron(case.spec.text))
    simulated = CronSim(case.spec.text, start)
    theirs = [int(next(simulated).timestamp()) for _ in range(5)]
    assert ticks(trigger, zone, case.at, theirs[-1]) == theirs


def test_ticks_are_those_of_cronsim():
    hold(are_those_of_cronsim, ANY, 150, derandomize=True)


@pytest.mark.soak
def test_many_ticks_are_those_of_cronsim():
    hold(are_those_of_cronsim, ANY, 4_000, derandomize=False)


def is_the_first_match_of_the_calendar(case: Case) -> None:
    start = datetime.fromtimestamp(case.at, UTC).replace(tzinfo=None)
    found = parse_cron(case.spec.text).first_from(start)
    assert found is not None
    assert found >= start
    assert case.spec.matches(found)
    day = start.replace(hour=0, minute=0, second=0)
    while day.date() < found.date():
        assert not case.spec.matches_day(day) or (
            day.date() == start.date() and start.time() > case.spec.last_time
        )
        day += timedelta(days=1)


def test_no_day_is_passed_over_in_the_calendar():
    hold(is_the_first_match_of_the_calendar, ANY, 150, derandomize=True)


class Question(NamedTuple):
    trigger: Trigger
    zone: str
    after_ms: int
    between: float


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Any trigger, at any millisecond."""
    case = draw(ANY)
    after_ms = case.at * 1000 + draw(st.integers(-1500, 1500))
    near = st.integers(after_ms - 10**8, after_ms + 10**8)
    every = draw(st.integers(100, 10**6) | st.integers(100, LONGEST_MS))
    rules: list[Cron | Every | At] = [parse_cron(case.spec.text), Every(every), At(draw(near))]
    trigger = Trigger(draw(st.sampled_from(rules)), draw(st.none() | near), draw(st.none() | near))
    return Question(trigger, case.zone, after_ms, draw(st.floats(0, 1)))


def is_the_same_from_every_instant_before(question: Question) -> None:
    trigger, zone = question.trigger, ZoneInfo(question.zone)
    tick = next_tick(trigger, question.after_ms, zone)
    if tick is None:
        return
    assert tick > question.after_ms
    assert trigger.start_ms is None or tick >= trigger.start_ms
    assert trigger.end_ms is None or tick <= trigger.end_ms
    between = question.after_ms + int((tick - 1 - question.after_ms) * question.between)
    assert next_tick(trigger, between, zone) == tick
    assert next_tick(trigger, tick - 1, zone) == tick


def test_next_tick_is_later_and_the_same_from_every_instant_before_it():
    hold(is_the_same_from_every_instant_before, questions(), 150, derandomize=True)


@pytest.mark.soak
def test_many_next_ticks_are_later_and_the_same_from_every_instant_before_them():
    hold(is_the_same_from_every_instant_before, questions(), 6_000, derandomize=False)
