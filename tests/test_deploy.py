"""The runbook has all alerts, and those only."""

import re
from pathlib import Path

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]


def test_every_alert_is_in_the_runbook():
    (group,) = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"]
    page = (
        (ROOT / "docs" / "deploy.md").read_text().partition("## When an alert fires")[2].partition("\n## ")[0]
    )
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [rule["alert"] for rule in group["rules"]]


def test_files_that_the_page_names_are_there():
    page = (ROOT / "docs" / "deploy.md").read_text()
    assert [
        name for name in re.findall(r"\]\(([\w./-]+)\)", page) if not (ROOT / "docs" / name).exists()
    ] == []
