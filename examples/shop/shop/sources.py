"""What `reconcile` reads: ``csv:<file in SHOP_FILES>``, whose first column is the key, or ``sql:<table of the shop>``.

A source is read in chunks. Each chunk says where the next one begins, so that whoever goes on later need not read what
was read before.
"""

import csv
import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Table, func, select

from worker_service import PermanentError

from .database import Base, engine


class Chunk(NamedTuple):
    """Rows as key and values by column, and where the next chunk begins."""

    rows: list[tuple[str, dict[str, str]]]
    next: str


class Source(Protocol):
    """One of the two sides."""

    columns: list[str]
    """Those beside the key."""
    identity: str
    """Another text when a position of an earlier run means nothing any more."""

    def read(self, position: str, limit: int) -> Chunk:
        """The rows from a position on, '' for the beginning; none at the end."""

    def share(self, position: str) -> float:
        """How much of it lies before a position, from 0 to 1."""


def open_source(name: str) -> Source:
    """The source of this name.

    Raises:
        PermanentError: there is none.
    """
    kind, _, rest = name.partition(":")
    if kind == "csv":
        return CsvFile(_path(rest))
    if kind == "sql" and rest in Base.metadata.tables:
        return SqlTable(Base.metadata.tables[rest])
    tables = ", ".join(f"sql:{table}" for table in sorted(Base.metadata.tables))
    raise PermanentError(f"no source {name!r}: use csv:<file> or one of {tables}")


def files() -> Path:
    """The folder of the files."""
    return Path(os.environ.get("SHOP_FILES", "files"))


def _path(name: str) -> Path:
    folder = files().resolve()
    path = (folder / name).resolve()
    if not (path.is_file() and path.is_relative_to(folder)):
        raise PermanentError(f"there is no file {name!r} in SHOP_FILES")
    return path


class CsvFile:
    """A file in UTF-8 with a line of names. Positions are bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        about = path.stat()
        self._size = about.st_size
        self.identity = f"{path.name} {about.st_ino} {about.st_size} {about.st_mtime_ns}"
        names, self._begin = self._rows(0, 1)
        if not names:
            raise PermanentError(f"{path.name} is empty: its first line names the columns")
        self._key, *self.columns = names[0]

    def read(self, position: str, limit: int) -> Chunk:
        """See `Source`."""
        rows, end = self._rows(int(position or self._begin), limit)
        return Chunk([(row[0], self._by_name(row)) for row in rows if row], str(end))

    def share(self, position: str) -> float:
        """See `Source`."""
        return int(position or 0) / self._size

    def _by_name(self, row: list[str]) -> dict[str, str]:
        return dict(zip(self.columns, row[1:], strict=False))

    def _rows(self, begin: int, limit: int) -> tuple[list[list[str]], int]:
        """Some rows, and where the one after them begins."""
        end = begin

        def lines() -> Iterator[str]:
            nonlocal end
            for line in file:  # the reader takes no line more than it needs for a row
                end += len(line)
                yield line.decode("utf-8-sig" if begin == 0 else "utf-8")

        with self._path.open("rb") as file:
            file.seek(begin)
            try:
                return list(islice(csv.reader(lines(), strict=True), limit)), end
            except (UnicodeDecodeError, csv.Error) as error:
                raise PermanentError(f"{self._path.name}, after byte {begin}: {error}") from error


class SqlTable:
    """A table of the shop's database. Positions are a number of rows and the last key of them."""

    def __init__(self, table: Table) -> None:
        self._table = table
        [self._key] = table.primary_key.columns
        self._others = [column for column in table.columns if column is not self._key]
        self.columns = [column.name for column in self._others]
        self.identity = table.name
        with engine.connect() as connection:
            self._size = connection.scalar(select(func.count()).select_from(table)) or 0

    def read(self, position: str, limit: int) -> Chunk:
        """See `Source`."""
        query = select(self._key, *self._others).order_by(self._key).limit(limit)
        before = 0
        if position:
            before, last = json.loads(position)
            query = query.where(self._key > last)
        with engine.connect() as connection:
            rows = connection.execute(query).all()
        found = [(str(row[0]), dict(zip(self.columns, map(_text, row[1:]), strict=True))) for row in rows]
        return Chunk(found, json.dumps([before + len(rows), rows[-1][0]]) if rows else position)

    def share(self, position: str) -> float:
        """See `Source`."""
        if not position:
            return 0.0
        rows, _ = json.loads(position)
        return min(1.0, rows / self._size) if self._size else 1.0


def _text(value: Any) -> str:
    return "" if value is None else str(value)
