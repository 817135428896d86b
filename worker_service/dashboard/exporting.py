"""Jobs as a file: JSON as the HTTP interface shows them, or the small fields as CSV."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any

Job = dict[str, Any]

PLAIN = (
    "id", "actor", "queue", "state", "reason", "created_at", "started_at", "finished_at", "attempt", "max_attempts",
    "priority",
)  # fmt: skip
COLUMNS: dict[str, Callable[[Job], Any]] = {
    **{name: itemgetter(name) for name in PLAIN},
    "tags": lambda job: " ".join(job["tags"]),
    "args": lambda job: json.dumps(job["args"], ensure_ascii=False),
    "result": lambda job: json.dumps(job["result"], ensure_ascii=False),
    "error": lambda job: job["error"] and job["error"]["type"],
    "message": lambda job: job["error"] and job["error"]["message"],
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(jobs: Iterable[Job]) -> Iterator[str]:
    """An array; one that does not end was cut off by an error."""
    before = "[\n"
    for job in jobs:
        yield before + json.dumps(job, ensure_ascii=False)
        before = ",\n"
    yield "\n]\n" if before == ",\n" else "[]\n"


def as_csv(jobs: Iterable[Job]) -> Iterator[str]:
    """A table with a line of names. What a spreadsheet would take for a formula begins with an apostrophe."""
    yield _line(COLUMNS)
    for job in jobs:
        yield _line(_text(read(job)) for read in COLUMNS.values())


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(value, int | float) else text
