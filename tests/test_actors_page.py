"""docs/actors.md says what is so of each built-in actor, and why it may run twice."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from worker_service import actors

PAGE = (Path(__file__).parents[1] / "docs" / "actors.md").read_text()
BUILT_IN = {name: each for name, each in vars(actors).items() if getattr(each, "actor_name", None) == name}


def row_of(actor: Any) -> str:
    """Its line of the table, up to its schedule."""
    names = [
        name + ("" if parameter.default is inspect.Parameter.empty else "?")
        for name, parameter in inspect.signature(actor.fn).parameters.items()
    ]
    attempts = actor.options.get("max_attempts", 10)
    return f"| `{actor.actor_name}({', '.join(names)})` | `{actor.queue_name}` | {attempts} |"


def test_page_has_a_section_for_each_actor_and_for_nothing_else():
    assert sorted(re.findall(r"^## (\w+)$", PAGE, re.MULTILINE)) == sorted(BUILT_IN)
    assert len(BUILT_IN) == 7


@pytest.mark.parametrize("name", BUILT_IN)
def test_arguments_queue_and_attempts_are_those_of_the_code(name: str):
    assert row_of(BUILT_IN[name]) in PAGE, f"the table should have: {row_of(BUILT_IN[name])}"


@pytest.mark.parametrize("name", BUILT_IN)
def test_section_says_why_it_may_run_twice(name: str):
    section = PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert section.count("**Again:**") == 1
