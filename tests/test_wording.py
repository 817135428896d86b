"""Numbers on the pages are short and right."""

import pytest

from worker_service.dashboard.wording import (
    MOST_CHARACTERS,
    clock,
    first_line,
    local_clock,
    prose,
    rfc_3339,
    with_clocks,
)
from worker_service.jobs.durations import duration


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (1499, "1.4 s"),
        (9999, "9.9 s"),
        (10_000, "10 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_599_999, "59 min 59 s"),
        (3_600_000, "1 h"),
        (86_399_999, "23 h 59 min"),
        (86_400_000, "1 d"),
        (30 * 86_400_000 + 2 * 3_600_000 + 5, "30 d 2 h"),
    ],
)
def test_duration_is_given_in_two_units(ms: int, text: str):
    assert duration(ms) == text


def test_instant_is_given_in_utc():
    assert rfc_3339(1_800_000_000_007) == "2027-01-15T08:00:00.007+00:00"
    assert clock(1_800_000_000_007) == "2027-01-15 08:00:00"
    assert with_clocks("At 2027-01-15T08:00:00.007Z, or so.") == "At 2027-01-15 08:00:00, or so."


def test_local_instant_keeps_its_offset():
    assert local_clock("2027-01-15T09:00:00.007+01:00") == "2027-01-15 09:00:00 +01:00"


def test_code_in_a_docstring_is_code_and_nothing_else_is_markup():
    assert prose("Reads ``<file>`` & more.") == "Reads <code>&lt;file&gt;</code> &amp; more."


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("\n \n", ""),
        ("one", "one"),
        ("\n  first \r\nsecond", "first"),
        ("x" * MOST_CHARACTERS, "x" * MOST_CHARACTERS),
        ("x" * (MOST_CHARACTERS + 1), "x" * (MOST_CHARACTERS - 1) + "…"),
    ],
)
def test_first_line_is_the_first_that_says_something(text: str, line: str):
    assert first_line(text) == line
