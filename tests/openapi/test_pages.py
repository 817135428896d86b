"""The pages about errors and about the interface say what is so."""

import re
from typing import Any

from tests.openapi.documents import PROBLEM, ROOT
from worker_service.api.problems import STATUS, urn

ERRORS = (ROOT / "docs" / "errors.md").read_text()
OF_NO_OPERATION = {(404, "not-found"), (405, "method-not-allowed")}
"""What is answered where there is no operation."""


def listed() -> list[tuple[int, str]]:
    """Status and name of each row, in the order of the page."""
    rows = re.findall(r"^\| (\d{3}) \| `([a-z-]+)` \| .+ \| .+ \|$", ERRORS, re.MULTILINE)
    return [(int(status), name) for status, name in rows]


def test_every_problem_has_its_row_and_every_row_its_problem(document: dict[str, Any]):
    found = {(status, name) for status, name, _ in STATUS.values()} | OF_NO_OPERATION
    for response in document["components"]["responses"].values():
        narrowed = response["content"][PROBLEM]["schema"]["allOf"][1]["properties"]
        found |= {
            (narrowed["status"]["const"], each.removeprefix(urn(""))) for each in narrowed["type"]["enum"]
        }
    assert set(listed()) == found


def test_rows_are_in_order():
    general, own = ERRORS.split("## From the service")
    for part in (general, own):
        rows = [row for row in listed() if f"`{row[1]}` |" in part]
        assert rows == sorted(rows)


def test_pages_that_they_name_exist():
    for page in ("errors.md", "api.md"):
        named = re.findall(r"\]\(([\w./-]+)\)", (ROOT / "docs" / page).read_text())
        assert named
        assert [name for name in named if not (ROOT / "docs" / name).exists()] == []
