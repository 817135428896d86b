"""Pages that name tests name those that exist, as pytest takes them, and say of each where it runs."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")}
NAMED = [
    (page, *found)
    for page, text in PAGES.items()
    for found in re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`( \(soak\))?", text)
]


def test_tests_are_named():
    assert len([page for page, *_ in NAMED if page == "guarantees.md"]) > 30
    assert sum(len(re.findall(r"tests/\S+::", text)) for text in PAGES.values()) == len(NAMED)


@pytest.mark.parametrize(("page", "path", "name", "soak"), NAMED)
def test_named_test_exists_and_runs_where_the_page_says(page: str, path: str, name: str, soak: str):
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
