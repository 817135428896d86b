"""What the page says of alerts, queues and files is so."""

import re
import subprocess
import sys
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


def test_the_example_of_groups_of_queues_leaves_out_none_of_the_built_in_actors():
    page = (ROOT / "docs" / "deploy.md").read_text()
    shown = re.findall(r"^```yaml\n(# compose\.override\.yaml\n.*?)^```", page, re.MULTILINE | re.DOTALL)
    services = yaml.safe_load(shown[0])["services"]
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert {"web", "worker", "scheduler"} <= services.keys()
    taken: list[str] = []
    for name, service in services.items():
        assert name in compose or service["extends"] == {"file": "compose.yaml", "service": "worker"}
        if "command" in service:
            assert service["command"][:3] == ["worker-service", "worker", "--queues"]
            taken += service["command"][3:]
    code = "from worker_service import registry; print(*registry.load().get_declared_queues())"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert sorted([*taken, "service"]) == sorted(there.split())
