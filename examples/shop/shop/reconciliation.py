"""Compares two sources by key: which rows has only one of them, and which differ.

Both are read into a scratch file, chunk by chunk, and compared there in the order of their keys, which need not be that
of the sources. Each chunk is one transaction that also writes how far the work is. So a run that was killed is gone on
with where it was, and two at the same time (one was believed to be dead) do each chunk once between them.
"""

import csv
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from worker_service import PermanentError

from .sources import Source

CHUNK = 1_000
SIDES = ("source", "target")
COMPARING = "comparing"
KINDS = ("only_in_source", "only_in_target", "differs")

_TABLES = """
CREATE TABLE IF NOT EXISTS work (identity TEXT);
CREATE TABLE IF NOT EXISTS progress (phase TEXT PRIMARY KEY, position TEXT, rows INTEGER, is_done INTEGER);
CREATE TABLE IF NOT EXISTS source (key TEXT PRIMARY KEY, row TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS target (key TEXT PRIMARY KEY, row TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS differences (key TEXT PRIMARY KEY, kind TEXT, source TEXT, target TEXT) WITHOUT ROWID;
"""
_NEXT_KEYS = """
SELECT key FROM (SELECT key FROM source WHERE key > :position ORDER BY key LIMIT :limit)
UNION SELECT key FROM (SELECT key FROM target WHERE key > :position ORDER BY key LIMIT :limit)
ORDER BY key LIMIT :limit
"""
_COMPARE = """
INSERT INTO differences
SELECT key, CASE WHEN t IS NULL THEN 'only_in_source' WHEN s IS NULL THEN 'only_in_target' ELSE 'differs' END, s, t
FROM (
    SELECT key, (SELECT row FROM source WHERE source.key = keys.key) AS s,
        (SELECT row FROM target WHERE target.key = keys.key) AS t
    FROM (SELECT key FROM source WHERE key > :first AND key <= :last
          UNION SELECT key FROM target WHERE key > :first AND key <= :last) AS keys
)
WHERE s IS NOT t
"""

Show = Callable[[float, str], None]


class Reconciliation:
    """The scratch file of one job; close it.

    Args:
        path: of the file; what an earlier run left there is gone on with.
        source, target: what to compare, by the columns that both have.

    Raises:
        PermanentError: they have no column in common.
    """

    def __init__(self, path: Path, source: Source, target: Source) -> None:
        self._sides = dict(zip(SIDES, (source, target), strict=True))
        self.columns = [name for name in source.columns if name in target.columns]
        if not self.columns:
            raise PermanentError("the two have no column in common beside the key")
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._db.executescript(_TABLES)
        self._begin(json.dumps([source.identity, target.identity, self.columns]))

    def close(self) -> None:
        """Close the file, and keep it."""
        self._db.close()

    @property
    def rows_done(self) -> int:
        """How many rows were read and compared, by this run or by earlier ones."""
        [[rows]] = self._db.execute("SELECT coalesce(sum(rows), 0) FROM progress")
        return int(rows)

    def run(self, show: Show) -> None:
        """Do what is left to do, and say after each chunk how far it is: a percentage and some words."""
        for first, side in zip((0, 35), SIDES, strict=True):
            while not self._read(side):
                position, rows, _ = self._progress(side)
                show(first + 35 * self._sides[side].share(position), f"{rows} rows of the {side} read")
        [[total]] = self._db.execute(
            "SELECT count(*) FROM (SELECT key FROM source UNION SELECT key FROM target)"
        )
        while not self._compare():
            _, keys, _ = self._progress(COMPARING)
            show(70 + 30 * keys / total, f"{keys} of {total} keys compared")

    def write(self, path: Path) -> None:
        """Write the differences down, whole or not at all."""
        unfinished = path.with_suffix(f".{os.getpid()}")
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["key", "kind", "source", "target"])
            writer.writerows(
                self._db.execute("SELECT key, kind, source, target FROM differences ORDER BY key")
            )
        unfinished.replace(path)

    def counts(self) -> dict[str, int]:
        """How many keys were compared, and how many differences there are of each kind."""
        found = dict(self._db.execute("SELECT kind, count(*) FROM differences GROUP BY kind"))
        return {"compared": self._progress(COMPARING)[1], **{kind: found.get(kind, 0) for kind in KINDS}}

    def _begin(self, identity: str) -> None:
        """Forget what an earlier run did with other files."""
        with self._transaction():
            if self._db.execute("SELECT identity FROM work").fetchall() == [(identity,)]:
                return
            for table in ("work", "progress", "differences", *SIDES):
                self._db.execute(f"DELETE FROM {table}")
            self._db.execute("INSERT INTO work VALUES (?)", [identity])

    def _read(self, side: str) -> bool:
        """Read one chunk; True when there is none left."""
        with self._transaction():
            position, rows, is_done = self._progress(side)
            if is_done:
                return True
            chunk = self._sides[side].read(position, CHUNK)
            # A key that comes twice has the rows of both, which then differ from the one row of the other side.
            self._db.executemany(
                f"INSERT INTO {side} VALUES (?, ?) "
                "ON CONFLICT (key) DO UPDATE SET row = row || ' and ' || excluded.row",
                [(key, self._row(values)) for key, values in chunk.rows],
            )
            self._write_progress(side, chunk.next, rows + len(chunk.rows), is_done=not chunk.rows)
            return not chunk.rows

    def _compare(self) -> bool:
        """Compare one chunk; True when there is none left."""
        with self._transaction():
            position, keys, is_done = self._progress(COMPARING)
            if is_done:
                return True
            found = self._db.execute(_NEXT_KEYS, {"position": position, "limit": CHUNK}).fetchall()
            last = found[-1][0] if found else position
            self._db.execute(_COMPARE, {"first": position, "last": last})
            self._write_progress(COMPARING, last, keys + len(found), is_done=not found)
            return not found

    def _row(self, values: dict[str, str]) -> str:
        return json.dumps([values.get(name, "") for name in self.columns], ensure_ascii=False)

    def _progress(self, phase: str) -> tuple[str, int, bool]:
        found = self._db.execute("SELECT position, rows, is_done FROM progress WHERE phase = ?", [phase])
        position, rows, is_done = found.fetchone() or ("", 0, 0)
        return position, rows, bool(is_done)

    def _write_progress(self, phase: str, position: str, rows: int, *, is_done: bool) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?)", (phase, position, rows, is_done)
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise


def reconcile(
    source: Source, target: Source, folder: Path, job_id: str, show: Show, log: Callable[[str], None]
) -> dict[str, int | str]:
    """Compare two sources.

    Args:
        folder: where the scratch file is kept while it is needed, and where the differences are written.
        job_id: names both.
        show: is told how far it is.
        log: is told once where this run begins.

    Returns:
        How many keys were ``compared``, how many are ``only_in_source``, ``only_in_target`` or ``differs``, and the
        ``report`` that names them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scratch, report = folder / f"{job_id}.sqlite", folder / f"{job_id}.csv"
    with closing(Reconciliation(scratch, source, target)) as work:
        log(f"begins after {work.rows_done} rows")
        work.run(show)
        work.write(report)
        counts = work.counts()
    scratch.unlink(missing_ok=True)
    return {**counts, "report": report.name}
