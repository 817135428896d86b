"""docs/guarantees.md names tests that exist, and says of each where it runs."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`( \(soak\))?", PAGE)


def test_tests_are_named():
    assert len(NAMED) > 30
    assert PAGE.count("::") == len(NAMED)


@pytest.mark.parametrize(("path", "name", "soak"), NAMED)
def test_named_test_exists_and_runs_where_the_page_says(path: str, name: str, soak: str):
    tree = ast.parse((ROOT / path).read_text())
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    ]
    assert len(found) == 1
    marks = [ast.unparse(mark) for mark in found[0].decorator_list]
    assert ("pytest.mark.soak" in marks) == bool(soak)
