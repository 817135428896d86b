"""``worker-service schedules``: what it prints, and its exit codes."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from worker_service.broker.broker import JobBroker
from worker_service.broker.schedules import Timetable
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.tasks.add import add

Run = Callable[..., subprocess.CompletedProcess[str]]
HEADS = ["name", "state", "source", "next tick", "last tick", "runs", "skipped", "missed"]
HOURLY = {"actor": "add", "args": {"x": 1, "y": 2}, "cron": "30 * * * *"}


@pytest.fixture
def timetable(redis_url: str, namespace: str) -> Iterator[Timetable]:
    """The schedules of the same namespace."""
    import dramatiq

    broker = JobBroker(Settings(redis_url=redis_url, namespace=namespace), default_middleware())
    dramatiq.actor(broker=broker)(add)
    yield Timetable(broker, "UTC")
    broker.close()


@pytest.fixture
def run(redis_url: str, namespace: str) -> Run:
    """Runs the command; ``settings`` are added to the environment."""

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "REDIS_"))
        }
        return subprocess.run(
            [sys.executable, "-m", "worker_service.cli", "schedules", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**inherited, "JOBS_REDIS_URL": redis_url, "JOBS_NAMESPACE": namespace, **settings},
        )

    return run


def test_all_of_it(run: Run, timetable: Timetable):
    assert re.split(" {2,}", run("ls").stdout.strip()) == HEADS
    timetable.put("half-past", {**HOURLY, "timezone": "Asia/Kolkata"})

    (tick,) = run("next", "half-past", "--count", "1").stdout.split()
    assert tick.endswith(":30:00.000+05:30")
    items = json.loads(run("next", "half-past", "--json").stdout)["items"]
    assert len(items) == 5
    assert items[0]["local"] == tick

    paused = run("pause", "half-past", "--note", "the bank is away")
    assert (paused.returncode, paused.stdout) == (0, "half-past is paused.\n")
    heads, line, note = run("ls").stdout.splitlines()
    assert line.split() == ["half-past", "paused", "api", "-", "-", "0", "0", "0"]
    assert heads.index("state") == line.index("paused")
    assert note == "half-past is paused: the bank is away"

    resumed = run("resume", "half-past")
    assert resumed.stdout.startswith("half-past is active; next tick: ")
    (shown,) = json.loads(run("ls", "--json").stdout)["items"]
    assert (shown["name"], shown["state"], shown["definition"]["cron"]) == (
        "half-past",
        "active",
        "30 * * * *",
    )

    made = run("run", "half-past", "--json")
    job = json.loads(made.stdout)["id"]
    assert timetable.history("half-past", 9)[0][0].job == job
    again = run("run", "half-past")
    assert again.returncode == 1
    assert job in again.stderr


def test_one_is_put_shown_backfilled_and_removed(run: Run, tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(HOURLY))
    assert run("put", "mine", str(file)).stdout.startswith("mine is active; next tick: ")
    assert json.loads(run("put", "mine", str(file), "--json").stdout)["version"] == 1
    shown = run("show", "mine").stdout
    assert "30 * * * *" in shown
    assert "active" in shown
    heads, *lines = run(
        "backfill", "mine", "2026-01-31T00:00:00Z", "2026-01-31T02:00:00Z"
    ).stdout.splitlines()
    assert heads.split() == ["tick", "job", "created"]
    assert [line.split()[0] for line in lines] == ["2026-01-31T00:30:00.000Z", "2026-01-31T01:30:00.000Z"]
    heads, newest, *_ = run("history", "mine").stdout.splitlines()
    assert heads.split() == ["tick", "at", "cause", "outcome", "count", "job", "id", "job", "state"]
    assert newest.split()[2:5] == ["backfill", "fired", "1"]
    assert len(json.loads(run("history", "mine", "--limit", "1", "--json").stdout)["items"]) == 1
    assert run("delete", "mine").stdout == "mine is removed.\n"
    assert run("delete", "mine").returncode == 1


def test_definition_that_is_wrong_is_refused(run: Run, tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({**HOURLY, "cron": "x"}))
    answer = run("put", "mine", str(file))
    assert answer.returncode == 1
    assert "/cron" in answer.stderr
    file.write_text("{")
    assert run("put", "mine", str(file)).returncode == 2
    assert run("put", "mine", str(tmp_path / "none.json")).returncode == 2


@pytest.mark.parametrize("command", ["next", "run", "resume", "show", "delete", "history"])
def test_misspelt_name_is_refused_with_the_nearest(run: Run, timetable: Timetable, command: str):
    timetable.put("hourly", HOURLY)
    answer = run(command, "hourlie")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Did you mean 'hourly'?" in answer.stderr


@pytest.mark.parametrize("arguments", [("pause", "x"), ("next",), ("next", "x", "--count", "101"), ("lss",)])
def test_wrong_use_is_2(run: Run, arguments: tuple[str, ...]):
    answer = run(*arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert re.match("Usage: .* schedules ", answer.stderr)


def test_server_that_is_away_is_2_and_said(run: Run):
    answer = run("ls", JOBS_REDIS_URL="redis://127.0.0.1:1/0")
    assert answer.returncode == 2
    assert "Error: " in answer.stderr
    assert "Traceback" not in answer.stderr


def test_help_is_its_own(run: Run):
    assert "pause" in run("--help").stdout
