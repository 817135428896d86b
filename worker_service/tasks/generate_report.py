"""Writes what the jobs of one day came to, as a table that spreadsheets open."""

import csv
import io
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from .files import write_whole

COLUMNS = ("enqueued", "succeeded", "dead", "cancelled", "expired", "retried", "crashed")


def generate_report(files: Path, day: date, totals: Mapping[str, Mapping[str, int]]) -> dict[str, str | int]:
    """Write ``reports/<day>.csv`` below ``files``: a line per actor. The same day again is the same file.

    Args:
        files: the directory of files.
        day: in UTC.
        totals: actor -> counters of that day, as in store/lua/lib/count.lua.

    Returns:
        The ``file``, relative to ``files``, and how many ``actors`` are in it.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["actor", *COLUMNS, "mean_wait_ms", "mean_run_ms"])
    for actor, count in sorted(totals.items()):
        if count:
            means = [_mean(count, "wait_ms", "started"), _mean(count, "run_ms", "succeeded")]
            table.writerow([actor, *(count.get(name, 0) for name in COLUMNS), *means])
    name = f"reports/{day.isoformat()}.csv"
    write_whole(files / name, text.getvalue().encode())
    return {"file": name, "actors": text.getvalue().count("\n") - 1}


def _mean(count: Mapping[str, int], total: str, number: str) -> str:
    return f"{count.get(total, 0) / count[number]:.1f}" if count.get(number) else ""
