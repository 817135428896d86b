"""Which worker processes of one service run on this host, by the keepers beside them. Linux only."""

import os
from collections.abc import Mapping
from pathlib import Path

KEEPER = b"worker_service.broker.keeper"
STARTING_SECONDS = 60.0
"""Younger ones may not have opened their session yet."""

_SERVER = ("JOBS_REDIS_URL", "JOBS_REDIS_URL_FILE", "REDIS_URL")
_SERVICE = (*_SERVER, "JOBS_NAMESPACE")
_PARENT, _STARTED = 1, 19
"""Places in /proc/PID/stat behind the name: fields 4 and 22 of proc_pid_stat(5)."""


def kept_processes(processes: Path, environment: Mapping[str, str] = os.environ) -> set[str]:
    """The pids of worker processes of this service that have run for a while.

    Others on this host may serve another server or namespace. So only those are meant that were told the same ones by
    their environment as this process: in a container all are.

    Args:
        processes: where the system shows what runs.
        environment: of this process.
    """
    if not any(environment.get(name) for name in _SERVER):
        return set()
    ours = {name: environment.get(name) for name in _SERVICE}
    found = (_kept_by(folder, ours) for folder in processes.glob("[0-9]*"))
    return {pid for pid in found if pid is not None}


def _kept_by(folder: Path, ours: Mapping[str, str | None]) -> str | None:
    try:
        if KEEPER not in (folder / "cmdline").read_bytes().split(b"\0"):
            return None
        stat = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        told = dict(
            line.partition("=")[::2]
            for line in (folder / "environ").read_bytes().decode().split("\0")
            if line
        )
        up_seconds = float((folder.parent / "uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):  # it ended meanwhile, or is of another user
        return None
    age_seconds = up_seconds - int(stat[_STARTED]) / os.sysconf("SC_CLK_TCK")
    is_ours = {name: told.get(name) for name in ours} == ours
    return stat[_PARENT].decode() if is_ours and age_seconds > STARTING_SECONDS else None
