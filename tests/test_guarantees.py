"""docs/guarantees.md names tests that exist, as pytest takes them, and says of each where it runs."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`( \(soak\))?", PAGE)


def test_tests_are_named():
    assert len(NAMED) > 30
    assert len(re.findall(r"tests/\S+::", PAGE)) == len(NAMED)


@pytest.mark.parametrize(("path", "name", "soak"), NAMED)
def test_named_test_exists_and_runs_where_the_page_says(path: str, name: str, soak: str):
    body: list[ast.stmt] = ast.parse((ROOT / path).read_text()).body
    found: list[ast.expr] = []
    for part in name.split("::"):
        (node,) = [
            each
            for each in body
            if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and each.name == part
        ]
        body, found = node.body, node.decorator_list
    assert ("pytest.mark.soak" in [ast.unparse(mark) for mark in found]) == bool(soak)
