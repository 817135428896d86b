"""What periodiq's own ``cron()`` makes, read as ours."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from periodiq import cron as periodiq_cron

from tests.jobs.crons import Spec, specs
from worker_service.jobs.cron import from_periodiq, parse_cron
from worker_service.jobs.errors import InvalidCron

local = datetime.fromisoformat
SATURDAY, SUNDAY = local("2026-11-14"), local("2026-11-15")


def made_of_lists(spec: Any) -> Any:
    """The same value after ``replace``, which drops its text."""
    return spec.replace(m=spec.minute)


@pytest.mark.parametrize("text", ["0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "@weekly"])
@pytest.mark.parametrize("remade", [lambda spec: spec, made_of_lists])
def test_sundays_are_sundays(text: str, remade: Any):
    assert from_periodiq(remade(periodiq_cron(text))).first_from(SATURDAY) == SUNDAY


@pytest.mark.parametrize(
    "text", ["0,30 9 * * *", "0 2 1,15 * mon", "5 4 * * mon-fri", "@hourly", "0 0 */2 * 1", "0 0 1-31/2 * 1"]
)
def test_its_text_counts(text: str):
    assert from_periodiq(periodiq_cron(text)) == parse_cron(text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("0 2 * * *", "0 2 * * *"),
        ("0 2 1-31 * 0-7", "0 2 * * *"),
        ("0 2 * * 1-7", "0 2 * * *"),
        ("0 2 13 * fri", "0 2 13 * 5"),
        ("0,59 0,23 1,31 1,12 1,6", "0,59 0,23 1,31 1,12 1,6"),
        ("0-59 * * * *", "* * * * *"),
        ("*/5 */2 * * *", "0-59/5 0-23/2 * * *"),
    ],
)
def test_lists_count_where_there_is_no_text(text: str, same: str):
    assert from_periodiq(made_of_lists(periodiq_cron(text))) == parse_cron(same)


def test_lists_may_be_in_any_order():
    spec = periodiq_cron("@daily").replace(h=[17, 9, 9])
    assert from_periodiq(spec) == parse_cron("0 9,17 * * *")


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(specs())
def test_what_both_can_read_means_the_same(spec: Spec):
    text = spec.text.lower()
    months = ",".join(map(str, sorted(spec.month.values)))  # it knows no names of months
    theirs = periodiq_cron(" ".join([*text.split()[:3], months, text.split()[4]]))
    ours = from_periodiq(theirs)
    assert list(ours.minutes) == theirs.minute
    assert list(ours.hours) == theirs.hour
    assert list(ours.days) == theirs.dom
    assert list(ours.months) == theirs.month
    assert list(ours.weekdays) == sorted({day % 7 for day in theirs.dow})


@pytest.mark.parametrize("text", ["0 0 30 2 *", "5/15 * * * *", "70 * * * *", "0 0 * * * *"])
def test_what_it_accepts_and_cannot_be_kept_is_refused(text: str):
    with pytest.raises(InvalidCron):
        from_periodiq(periodiq_cron(text))


@pytest.mark.parametrize("value", [None, "0 2 * * *", object(), local("2026-01-01")])
def test_other_values_are_refused(value: Any):
    with pytest.raises(InvalidCron, match="not made by periodiq"):
        from_periodiq(value)


def test_lists_of_something_else_are_refused():
    spec = made_of_lists(periodiq_cron("@daily"))
    spec.hour = None
    with pytest.raises(InvalidCron, match="not made by periodiq"):
        from_periodiq(spec)
