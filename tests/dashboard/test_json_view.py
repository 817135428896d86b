"""JSON on pages is exact, and text in it stays text."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from worker_service.dashboard.json_view import LONG, MOST_MEMBERS, brief, folded

MARKUP = "<script>alert(1)</script>\"'&"


def text_of(html: str) -> str:
    """What a browser shows of it."""
    return unescape(re.sub(r"<[^>]*>", " ", html))


@pytest.mark.parametrize("value", [2**80 + 1, -(10**30), 0.1, 1e300, True, False, None, "", "\u05e9", [], {}])
def test_values_are_shown_exactly(value: Any):
    assert json.dumps(value, ensure_ascii=False) in text_of(folded(value))


def test_markup_is_text_in_names_and_values():
    html = folded({MARKUP: [MARKUP, {MARKUP: MARKUP * 100}]})
    assert "<script" not in html
    assert text_of(html).count("<script>alert(1)</script>") > 100


def test_long_text_is_folded_and_whole():
    html = folded("x" * 10_000)
    assert "x" * 10_000 in html
    assert "<details>" in html
    assert "10,000 characters" in html
    assert "<details>" not in folded("x" * LONG)


def test_of_many_members_the_last_are_one_text():
    html = folded(list(range(100_000)))
    assert html.count("<li>") == MOST_MEMBERS + 1
    assert "99999" in html


def test_nesting_as_deep_as_the_interface_takes_is_shown():
    value: Any = "innermost"
    for _ in range(64):
        value = [value]
    assert "innermost" in folded(value)


def test_brief_is_short():
    assert brief({}) == ""
    assert brief({"x": 1}) == '{"x": 1}'
    assert len(brief({"x": "y" * 1000})) <= 120


@pytest.mark.parametrize("show", [folded, brief])
def test_text_that_turns_the_order_of_letters_is_read_as_it_is(show: Callable[[Any], str]):
    html = show({"file": "\u202egpj.exe"})
    assert "\u202e" not in html
    assert r"\u202egpj.exe" in html
