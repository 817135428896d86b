"""Removes files that nobody needs any more: temporary ones, and those that were left half written."""

import os
import re
import stat
import time
from pathlib import Path

MOST_REMOVED = 10_000
TEMPORARY = "tmp"
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{8}")  # see files.write_whole


def cleanup_temp(files: Path, older_than_hours: float) -> dict[str, int]:
    """Remove old temporary files below ``files``, at most `MOST_REMOVED` in one go. Links are not followed.

    Args:
        files: the directory of files.
        older_than_hours: since they were changed last.

    Returns:
        How many were ``removed``, and their ``bytes``.
    """
    before = time.time() - older_than_hours * 3600
    removed = freed = 0
    for folder, _, names in os.walk(files):
        is_temporary = Path(folder).is_relative_to(files / TEMPORARY)
        for name in names:
            if removed >= MOST_REMOVED:
                return {"removed": removed, "bytes": freed}
            if is_temporary or _UNFINISHED.fullmatch(name):
                size = _remove_if_older(Path(folder, name), before)
                removed, freed = removed + (size is not None), freed + (size or 0)
    return {"removed": removed, "bytes": freed}


def _remove_if_older(path: Path, before: float) -> int | None:
    """Its size, when it was removed."""
    try:
        found = path.lstat()
        if found.st_mtime >= before or stat.S_ISDIR(found.st_mode):
            return None
        path.unlink()
    except FileNotFoundError:  # another run was quicker
        return None
    return found.st_size
