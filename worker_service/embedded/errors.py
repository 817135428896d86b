"""What can keep an embedded server from running."""

import re
from pathlib import Path

_BAD_FILE = re.compile(r"reading the append only file ([^\s:]+)")
_BAD_BASE = re.compile(r"Short read or OOM|RDB CRC|RDB checksum|Wrong signature|RDB reading")


class EmbeddedServerError(Exception):
    """The embedded server cannot be had; the message says why and what to do."""


class ServerNotFound(EmbeddedServerError):
    """No usable server binary: none there, not one that runs, or only versions that are too old."""


class DataDirInUse(EmbeddedServerError):
    """Another server still has the data directory."""


class ServerStartFailed(EmbeddedServerError):
    """The server ended or stayed silent while starting: port taken, no place to write. Ends with its log."""


class DataDamaged(ServerStartFailed):
    """The server refuses its own append-only file.

    Arguments:
        data_dir: of the server; what `repair` is to be called with.
        message: names the file, and ends with the server's log.
    """

    def __init__(self, data_dir: Path, message: str) -> None:
        super().__init__(message)
        self.data_dir = data_dir


class NotRepairable(EmbeddedServerError):
    """The damage is where the server's own tool cannot mend it; the message says what is left to do."""


def unusable(data_dir: Path, error: OSError) -> ServerStartFailed:
    """What to raise when a data directory cannot be made or written to."""
    return ServerStartFailed(
        f"The data directory {data_dir} cannot be written to: {error}. Use another one: JOBS_DATA_DIR=/some/folder"
    )


def start_failure(data_dir: Path, what: str, log: str) -> ServerStartFailed:
    """What to raise when a server did not come up.

    Arguments:
        data_dir: of the server.
        what: it did instead.
        log: what it has written since it was started.
    """
    last_words = "\n  ".join(["Its last words:", *log.splitlines()[-15:]])
    if bad := _BAD_FILE.search(last_words):
        file = next(data_dir.rglob(bad[1]), data_dir / bad[1])
        return DataDamaged(data_dir, f"The data are damaged: {file}. {last_words}")
    if _BAD_BASE.search(last_words):
        return DataDamaged(data_dir, f"The data in {data_dir} are damaged. {last_words}")
    return ServerStartFailed(f"The embedded server {what}; data directory: {data_dir}. {last_words}")
