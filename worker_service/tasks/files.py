"""The directory of files that jobs read and write: nothing outside of it, and no file half written."""

import errno
import os
import secrets
from pathlib import Path

from ..jobs.errors import PermanentError


def existing_file(files: Path, name: str) -> Path:
    """The file that ``name`` means, links resolved.

    Args:
        files: the directory of files.
        name: a path relative to it.

    Raises:
        PermanentError: it is absolute, leads out of the directory, is missing, or is no regular file.
    """
    try:
        path = (files / name).resolve()
        is_inside = path.is_relative_to(files.resolve()) and not Path(name).is_absolute()
        if is_inside and path.is_file():
            return path
    except (RuntimeError, ValueError) as error:  # links in a circle; a NUL or half a character in the name
        raise PermanentError(f"{name!r} is no path: {error}") from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise PermanentError(f"{name[:100]!r}... is longer than a path may be") from error
    if is_inside:
        raise PermanentError(f"no file {name!r} in {files}")
    raise PermanentError(f"{name!r} leads out of {files}; name a path relative to it")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there with all of its content, or not at all; an older one of the name is replaced.

    A process that is killed meanwhile may leave a file whose name begins with a dot.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Without it the new name may be lost with the power, though the content is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
