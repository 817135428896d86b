"""Files of jobs."""

import csv
import io
import json

from worker_service.dashboard.exporting import COLUMNS, as_csv, as_json

JOB = {
    **dict.fromkeys(COLUMNS),
    "id": "1",
    "actor": "=HYPERLINK(1)",
    "priority": -5,
    "tags": ["a", "b"],
    "args": {"n": 2**80},
    "result": 'two\n"lines", with a comma',
    "error": {"type": "ValueError", "message": "@SUM(1)"},
}


def test_json_is_an_array_of_whole_jobs():
    assert json.loads("".join(as_json([JOB, JOB]))) == [JOB, JOB]
    assert json.loads("".join(as_json([]))) == []


def test_csv_has_names_and_no_formulas():
    rows = list(csv.DictReader(io.StringIO("".join(as_csv([JOB])), newline="")))
    assert len(rows) == 1
    row = rows[0]
    assert (row["actor"], row["message"]) == ("'=HYPERLINK(1)", "'@SUM(1)")
    assert (row["priority"], row["tags"]) == ("-5", "a b")
    assert json.loads(row["args"]) == JOB["args"]
    assert json.loads(row["result"]) == JOB["result"]
