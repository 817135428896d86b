"""The report of a day."""

import csv
from datetime import date
from pathlib import Path

from worker_service.tasks.generate_report import generate_report

DAY = date(2026, 11, 25)


def test_each_actor_that_had_jobs_has_a_line(tmp_path: Path):
    totals = {
        "send_email": {
            "enqueued": 4,
            "started": 5,
            "succeeded": 3,
            "dead": 1,
            "retried": 1,
            "wait_ms": 50,
            "run_ms": 31,
        },
        "add": {"enqueued": 1},
        "never": {},
    }
    assert generate_report(tmp_path, DAY, totals) == {"file": "reports/2026-11-25.csv", "actors": 2}
    with (tmp_path / "reports" / "2026-11-25.csv").open() as file:
        add, mail = csv.DictReader(file)
    assert (add["actor"], add["enqueued"], add["succeeded"], add["mean_run_ms"]) == ("add", "1", "0", "")
    assert (mail["succeeded"], mail["dead"], mail["retried"]) == ("3", "1", "1")
    assert (mail["mean_wait_ms"], mail["mean_run_ms"]) == ("10.0", "10.3")


def test_same_day_again_is_the_same_file(tmp_path: Path):
    generate_report(tmp_path, DAY, {"add": {"enqueued": 1}})
    generate_report(tmp_path, DAY, {"add": {"enqueued": 2}})
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["2026-11-25.csv"]
    assert "add,2," in (tmp_path / "reports" / "2026-11-25.csv").read_text()
