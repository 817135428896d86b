"""docs/schedules.md: its examples do what it says, and it has each option."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from flask.testing import FlaskClient
from periodiq import cron

from worker_service.broker.broker import JobBroker
from worker_service.jobs.declared import Schedule
from worker_service.jobs.schedule import Definition

PAGE = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text()
TABLE = PAGE.split("<!-- options: ")[1].split("<!-- end of options -->")[0]
OPTIONS = re.findall(r"^\| `(\w+)` \| .* \| `([^`]*)` \| `([^`]*)` \|$", TABLE, re.MULTILINE)
REQUESTS = re.findall(r"```http\n([A-Z]+) (\S+)\n((?:[\w-]+: .*\n)*)(?:\n(\{.*\})\n)?```", PAGE)
(PYTHON,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


LIST = """
from scheduler.declarations import declared
from worker_service import registry
from worker_service.settings import settings

for name, definition in declared(registry.load(), settings()).items():
    print(f"{name}={definition.to_text()}")
"""


@pytest.fixture(autouse=True)
def send_report(broker: JobBroker) -> "dramatiq.Actor[Any, Any]":
    """The actor of the examples."""

    def send_report(to: str = "all@example.org") -> None:
        pass

    return dramatiq.actor(broker=broker)(send_report)


def test_each_option_is_there():
    assert [name for name, _, _ in OPTIONS] == list(Definition.model_fields)


@pytest.mark.parametrize(("name", "over_http", "in_code"), OPTIONS)
def test_example_over_http_and_in_code_are_the_same(
    client: FlaskClient, send_report: "dramatiq.Actor[Any, Any]", name: str, over_http: str, in_code: str
):
    given = json.loads(f"{{{over_http}}}")
    assert given.keys() == {name}
    when = {} if name in ("cron", "every_ms", "at") else {"cron": "0 2 * * *"}
    answer = client.put("/v1/schedules/example", json={"actor": "send_report", **when, **given})
    assert answer.status_code == 201, answer.get_json()
    known = {"Schedule": Schedule, "cron": cron, "timedelta": timedelta, "datetime": datetime, "UTC": UTC}
    declared = eval(in_code, {**known, "send_report": send_report})  # our own page
    assert declared.definition("UTC") == Definition.read(answer.get_json()["definition"])


def test_requests_are_answered_as_the_page_says(client: FlaskClient):
    assert len(REQUESTS) == PAGE.count("```http")
    answers: list[Any] = []
    for method, path, lines, body in REQUESTS:
        headers = dict(line.split(": ", 1) for line in lines.splitlines())
        if "If-Match" in headers:
            headers["If-Match"] = answers[0].headers["ETag"]
        answers.append(
            client.open(path, method=method, headers=headers, json=json.loads(body) if body else None)
        )
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 202, 200, 200, 200, 204]
    filled = answers[6].get_json()["items"]
    assert [item["tick"] for item in filled] == [  # 02:30 of the 30th is left out there, and runs right after
        "2025-03-29T01:30:00.000Z",
        "2025-03-30T01:00:00.000Z",
        "2025-03-31T00:30:00.000Z",
    ]


def test_module_declares_what_the_page_says(tmp_path: Path, redis_url: str, namespace: str):
    (tmp_path / "example_tasks.py").write_text(PYTHON)
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "REDIS_"))
    }
    ran = subprocess.run(
        [sys.executable, "-c", LIST],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={
            **inherited,
            "PYTHONPATH": str(tmp_path),
            "JOBS_REDIS_URL": redis_url,
            "JOBS_NAMESPACE": namespace,
            "JOBS_ACTOR_MODULES": "example_tasks",
        },
    )
    assert ran.returncode == 0, ran.stderr
    found = dict(line.split("=", 1) for line in ran.stdout.splitlines())
    expected: dict[str, dict[str, Any]] = {
        "close_books": {"cron": "0 2 * * *", "timezone": "Europe/Paris", "overlap": "buffer_one"},
        "sweep": {"every_ms": 900_000},
        "report-monday": {"cron": "0 8 * * 1", "args": {"to": "ann@example.org"}},
        "report-often": {"every_ms": 6 * 3_600_000, "jitter_ms": 300_000},
        "report-once": {"at": "2999-01-31T12:00:00.000Z"},
    }
    for name, fields in expected.items():
        actor = name if name in ("close_books", "sweep") else "send_report"
        assert json.loads(found[name]) == {"actor": actor, **fields}
