"""``worker-service schedules``: what it prints, and its exit codes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.console.conftest import Run
from worker_service import registry
from worker_service.broker.broker import JobBroker
from worker_service.broker.schedules import Timetable
from worker_service.middleware import default_middleware
from worker_service.settings import Settings

HEADS = ["name", "state", "source", "next tick", "last tick", "runs", "skipped", "missed"]
HOURLY = {"actor": "add", "args": {"x": 1, "y": 2}, "cron": "30 * * * *"}


class Answer(NamedTuple):
    """What a command ended with."""

    returncode: int
    stdout: str
    stderr: str


Ask = Callable[..., Answer]


@pytest.fixture
def timetable(broker: JobBroker) -> Timetable:
    """The schedules of the same namespace."""
    return Timetable(broker, "UTC")


@pytest.fixture
def ask(run: Run) -> Ask:
    """Runs ``worker-service schedules``."""

    def ask(*arguments: str) -> Answer:
        found = run("schedules", *arguments, code=None)
        return Answer(found.exit_code, found.stdout, found.stderr)

    return ask


def test_all_of_it(ask: Ask, timetable: Timetable):
    assert re.split(" {2,}", ask("ls").stdout.strip()) == HEADS
    timetable.put("half-past", {**HOURLY, "timezone": "Asia/Kolkata"})

    (tick,) = ask("next", "half-past", "--count", "1").stdout.split()
    assert tick.endswith(":30:00.000+05:30")
    items = json.loads(ask("next", "half-past", "--json").stdout)["items"]
    assert len(items) == 5
    assert items[0]["local"] == tick

    paused = ask("pause", "half-past", "--note", "the bank is away")
    assert (paused.returncode, paused.stdout) == (0, "half-past is paused.\n")
    heads, line, note = ask("ls").stdout.splitlines()
    assert line.split() == ["half-past", "paused", "api", "-", "-", "0", "0", "0"]
    assert heads.index("state") == line.index("paused")
    assert note == "half-past is paused: the bank is away"

    resumed = ask("resume", "half-past")
    assert resumed.stdout.startswith("half-past is active; next tick: ")
    (shown,) = json.loads(ask("ls", "--json").stdout)["items"]
    assert (shown["name"], shown["state"], shown["definition"]["cron"]) == (
        "half-past",
        "active",
        "30 * * * *",
    )

    made = ask("run", "half-past", "--json")
    job = json.loads(made.stdout)["id"]
    assert timetable.history("half-past", 9)[0][0].job == job
    again = ask("run", "half-past")
    assert again.returncode == 1
    assert job in again.stderr


def test_one_is_put_shown_backfilled_and_removed(ask: Ask, tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(HOURLY))
    assert ask("put", "mine", str(file)).stdout.startswith("mine is active; next tick: ")
    assert json.loads(ask("put", "mine", str(file), "--json").stdout)["version"] == 1
    shown = ask("show", "mine").stdout
    assert "30 * * * *" in shown
    assert "active" in shown
    heads, *lines = ask(
        "backfill", "mine", "2026-01-31T00:00:00Z", "2026-01-31T02:00:00Z"
    ).stdout.splitlines()
    assert heads.split() == ["tick", "job", "created"]
    assert [line.split()[0] for line in lines] == ["2026-01-31T00:30:00.000Z", "2026-01-31T01:30:00.000Z"]
    heads, newest, *_ = ask("history", "mine").stdout.splitlines()
    assert heads.split() == ["tick", "at", "cause", "outcome", "count", "job", "id", "job", "state"]
    assert newest.split()[2:5] == ["backfill", "fired", "1"]
    assert len(json.loads(ask("history", "mine", "--limit", "1", "--json").stdout)["items"]) == 1
    assert ask("delete", "mine").stdout == "mine is removed.\n"
    assert ask("delete", "mine").returncode == 1


def test_definition_that_is_wrong_is_refused(ask: Ask, tmp_path: Path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({**HOURLY, "cron": "x"}))
    answer = ask("put", "mine", str(file))
    assert answer.returncode == 1
    assert "/cron" in answer.stderr
    file.write_text("{")
    assert ask("put", "mine", str(file)).returncode == 2
    assert ask("put", "mine", str(tmp_path / "none.json")).returncode == 2


@pytest.mark.parametrize("command", ["next", "run", "resume", "show", "delete", "history"])
def test_misspelt_name_is_refused_with_the_nearest(ask: Ask, timetable: Timetable, command: str):
    timetable.put("hourly", HOURLY)
    answer = ask(command, "hourlie")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Did you mean 'hourly'?" in answer.stderr


@pytest.mark.parametrize("arguments", [("pause", "x"), ("next",), ("next", "x", "--count", "101"), ("lss",)])
def test_wrong_use_is_2(ask: Ask, arguments: tuple[str, ...]):
    answer = ask(*arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert re.match("Usage: .* schedules ", answer.stderr)


def test_server_that_is_away_is_2_and_said(ask: Ask, monkeypatch: pytest.MonkeyPatch):
    away = JobBroker(Settings(redis_url="redis://127.0.0.1:1/0"), default_middleware())
    monkeypatch.setattr(registry, "load", lambda: away)
    answer = ask("ls")
    assert answer.returncode == 2
    assert "Error: " in answer.stderr
    assert "Traceback" not in answer.stderr


def test_help_is_its_own(ask: Ask):
    assert "pause" in ask("--help").stdout


def test_very_many_ticks_are_backfilled_in_parts_when_all_are_meant(ask: Ask, timetable: Timetable):
    timetable.put("often", {**HOURLY, "cron": "* * * * *"})
    span = ("2026-01-31T00:00:00Z", "2026-01-31T18:00:00Z")
    refused = ask("backfill", "often", *span)
    assert refused.returncode == 1
    assert "1,081 ticks; 1,000 are the most" in refused.stderr
    assert "--all" in refused.stderr
    items = json.loads(ask("backfill", "often", *span, "--all", "--json").stdout)["items"]
    ticks = [item["tick"] for item in items]
    assert (len(set(ticks)), ticks) == (1081, sorted(ticks))
    assert ask("backfill", "often", "yesterday", "today", "--all").returncode == 2
    assert "Did you mean 'often'?" in ask("backfill", "ofen", *span, "--all").stderr
