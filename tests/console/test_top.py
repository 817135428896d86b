"""What ``top`` tells: rates from totals, warnings in words, and a screen that fits."""

import json
from typing import Any

import dramatiq
import pytest
from rich.console import Console

from tests.console.conftest import Run
from worker_service.broker.broker import JobBroker
from worker_service.console.top.live import HELP
from worker_service.console.top.rates import Rates
from worker_service.console.top.reading import Reading
from worker_service.console.top.screen import screen, sparkline
from worker_service.console.top.warnings import warnings

STATS = {
    "queued": 0, "delayed": 0, "running": 0, "dead": 0, "workers": 1, "threads": 8, "schedulers": 1, "oldest_ms": 0,
    "schedules": 2, "schedules_damaged": 0, "schedule_lag_ms": 0,
}  # fmt: skip


def queue(name: str = "default", **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "queued": 0,
        "scheduled_or_retrying": 0,
        "oldest_ms": None,
        "paused": None,
        **fields,
    }


def worker(**fields: Any) -> dict[str, Any]:
    return {
        "id": "w",
        "state": "active",
        "host": "here",
        "pid": 7,
        "queues": ["default"],
        "threads": 8,
        "running": 0,
        "heartbeat_age_ms": 100,
        **fields,
    }


def actor(queue: str = "default", **counts: int) -> dict[str, Any]:
    names = ("enqueued", "started", "succeeded", "retried", "dead", "cancelled")
    return {"name": "add", "queue": queue, "stats": {name: counts.get(name, 0) for name in names}}


def reading(at: float = 0, *, stats: dict[str, int] | None = None, **parts: Any) -> Reading:
    given = {
        "queues": [],
        "workers": [worker()],
        "actors": [],
        "failures": [],
        "minutes": [],
        "alerts": [],
        **parts,
    }
    return Reading(at=at, stats={**STATS, **(stats or {})}, **given)


def painted(shown: Reading, rates: Rates, rows: int, columns: int = 100) -> list[str]:
    console = Console(width=columns, height=rows, force_terminal=False)
    with console.capture() as text:
        console.print(screen(shown, rates, rows=rows, columns=columns, note=HELP))
    return text.get().splitlines()


class TestRates:
    def test_they_are_what_totals_grew_by(self):
        rates = Rates()
        rates.add(reading(100, actors=[actor(enqueued=10, started=5, succeeded=5)]))
        rates.add(reading(110, actors=[actor(enqueued=40, started=25, succeeded=15, dead=1)]))
        assert (rates.into("default"), rates.out_of("default")) == (180, 120)
        assert (rates.of("succeeded"), rates.of("dead")) == (60, 6)

    def test_one_reading_tells_none(self):
        rates = Rates()
        rates.add(reading(100, actors=[actor(enqueued=10)]))
        assert (rates.into("default"), rates.of("succeeded")) == (None, None)

    def test_queue_without_a_known_actor_has_none(self):
        rates = Rates()
        for at in (0, 10):
            rates.add(reading(at, actors=[actor()]))
        assert (rates.into("service"), rates.into("default")) == (None, 0)

    def test_they_are_of_the_last_minute(self):
        rates = Rates()
        for at, done in ((0, 0), (60, 600), (120, 600), (180, 600)):
            rates.add(reading(at, actors=[actor(succeeded=done)]))
        assert rates.of("succeeded") == 0

    def test_total_that_began_anew_is_not_negative(self):
        rates = Rates()
        rates.add(reading(0, actors=[actor(succeeded=50)]))
        rates.add(reading(10, actors=[actor(succeeded=3)]))
        assert rates.of("succeeded") == 0


class TestWarnings:
    def test_none_while_all_is_well(self):
        assert list(warnings(reading(queues=[queue(queued=3, oldest_ms=50)], stats={"queued": 3}))) == []

    @pytest.mark.parametrize(
        ("shown", "words"),
        [
            (reading(alerts=[{"name": "RedisDisk", "of": None, "text": "Redis is ill."}]), "Redis is ill."),
            (
                reading(queues=[queue(paused={"reason": "moving", "by": "ann", "until": None})]),
                "The queue default is paused by ann: moving.",
            ),
            (
                reading(queues=[queue("mails", queued=1)], stats={"queued": 1}),
                "No worker process takes jobs from mails, where a job waits.",
            ),
            (reading(workers=[worker(state="lost")]), "Nothing is heard of 1 worker process:"),
        ],
    )
    def test_what_is_wrong_is_said(self, shown: Reading, words: str):
        (said,) = warnings(shown)
        assert said.startswith(words)

    def test_queue_of_which_an_alert_tells_is_said_once(self):
        alert = {"name": "QueueNotDraining", "of": "mails", "text": "It does not drain."}
        paused = queue("mails", paused={"reason": "moving", "by": "ann", "until": None})
        assert list(warnings(reading(alerts=[alert], queues=[paused]))) == ["It does not drain."]


class TestScreen:
    def test_it_fits_whatever_there_is(self):
        many = reading(
            queues=[queue(f"q{number}", queued=number) for number in range(50)],
            workers=[worker(id=str(number), queues=[f"q{n}" for n in range(50)]) for number in range(50)],
            stats={"queued": 1},
        )
        for columns, rows in ((60, 24), (80, 30), (150, 80)):
            lines = painted(many, Rates(), rows, columns)
            assert len(lines) <= rows
            assert lines[-1].startswith(HELP)
            assert sum(line.startswith("... ") for line in lines) == 2
            assert any(line.startswith("succeeded") for line in lines)

    def test_longest_queue_comes_first(self):
        lines = painted(reading(queues=[queue("few", queued=1), queue("many", queued=9)]), Rates(), 40)
        assert next(line for line in lines if line.startswith(("few", "many"))).startswith("many")

    def test_what_runs_is_shown_with_its_limit(self):
        job = {"id": "some-id", "actor": "add", "running_ms": 61_000, "time_limit_ms": 600_000}
        (line,) = [
            each
            for each in painted(reading(workers=[worker(running=1, jobs=[job])]), Rates(), 40)
            if "some-id" in each
        ]
        assert line.split()[-6:] == ["1", "min", "1", "s", "10", "min"]
        assert "1/8" in line

    def test_names_are_no_markup(self):
        lines = painted(reading(queues=[queue("[red]x")]), Rates(), 40)
        assert any("[red]x" in line for line in lines)

    def test_minutes_that_passed_are_a_chart_and_the_last_whole_one_stands_for_now(self):
        minutes = [{"enqueued": 9, "succeeded": done, "retried": 0, "dead": 0} for done in (1, 8, 4)]
        (line,) = [
            each for each in painted(reading(minutes=minutes), Rates(), 40) if each.startswith("succeeded")
        ]
        assert line.split() == ["succeeded", "8", "▁█▄"]

    def test_sparkline(self):
        assert sparkline([0, 1, 4, 8]) == " ▁▄█"
        assert sparkline([0, 0]) == "  "


class TestCommand:
    def test_once_as_text(self, run: Run, broker: JobBroker):
        broker.actors["add"].send(1)
        shown = run("top", "--once").stdout
        assert "No worker process lives; a job waits." in shown
        assert "queued 1" in shown
        assert "\x1b" not in shown

    def test_once_as_json(self, run: Run, worker: dramatiq.Worker):
        run("submit", "fail", "why=broken", "--wait", code=1)
        found = json.loads(run("top", "--once", "--json").stdout)
        assert found["stats"]["dead"] == 1
        assert found["actors"]["fail"]["dead"] == 1
        assert found["failures"][0]["actor"] == "fail"
        assert found["workers"][0]["threads"] == 2
