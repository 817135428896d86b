"""Removes files that nobody needs any more: temporary ones, and those that were left half written."""

import os
import re
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from .fetched import FOLDER as FETCHED

MOST_REMOVED = 10_000
TEMPORARY = "tmp"
FETCHED_HOURS = 30 * 24.0
"""A page that was not asked for so long is fetched anew."""
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{8}")  # see files.write_whole


@dataclass(slots=True)
class _Run:
    removed: int = 0
    bytes: int = 0
    failed: int = 0

    @property
    def is_enough(self) -> bool:
        return self.removed >= MOST_REMOVED


def cleanup_temp(files: Path, older_than_hours: float) -> dict[str, int]:
    """Remove old temporary files below ``files``, at most `MOST_REMOVED` in one go. Links are not followed.

    Temporary is what lies in ``tmp/``, folders too, what was left half written anywhere, and what is remembered of
    pages that nobody fetched for 30 days.

    Args:
        files: the directory of files.
        older_than_hours: since they were changed last.

    Returns:
        How many were ``removed``, and their ``bytes``; how many ``failed``, to be tried again by the next run.
    """
    now = time.time()
    before, long_before = now - older_than_hours * 3600, now - FETCHED_HOURS * 3600
    run = _Run()
    for folder, _, names in os.walk(files):
        is_temporary = _is_within(folder, files / TEMPORARY)
        is_fetched = _is_within(folder, files / FETCHED)
        for name in names:
            if is_temporary or _UNFINISHED.fullmatch(name):
                _remove(run, Path(folder, name), before)
            elif is_fetched:
                _remove(run, Path(folder, name), long_before)
            if run.is_enough:
                return _told(run)
    _remove_empty_folders(run, files / TEMPORARY, before)
    return _told(run)


def _is_within(folder: str, other: Path) -> bool:
    return Path(folder).is_relative_to(other)


def _told(run: _Run) -> dict[str, int]:
    return {"removed": run.removed, "bytes": run.bytes, "failed": run.failed}


def _remove(run: _Run, path: Path, before: float) -> None:
    try:
        found = path.lstat()
        if found.st_mtime >= before or stat.S_ISDIR(found.st_mode):
            return
        path.unlink()
    except FileNotFoundError:  # another run was quicker
        return
    except OSError:  # one that cannot be removed keeps none of the others
        run.failed += 1
        return
    run.removed += 1
    run.bytes += found.st_size


def _remove_empty_folders(run: _Run, temporary: Path, before: float) -> None:
    """The deepest first; one that has lost something just now is young again, and goes another day."""
    for folder, _, _ in os.walk(temporary, topdown=False):
        path = Path(folder)
        try:
            if path != temporary and path.lstat().st_mtime < before and not any(path.iterdir()):
                path.rmdir()
                run.removed += 1
        except OSError:  # not empty any more, or gone
            continue
        if run.is_enough:
            return
