"""What the contestants are installed into: an environment for each, below `.cache/bench/`, made once.

Each has a lock with hashes beside its module in `peers/`. Stock Dramatiq gets the very versions of dramatiq, redis and
hiredis that worker-service runs with, so that what differs is the broker.
"""

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
PEERS = Path(__file__).parent / "peers"
SHARED_PACKAGES = ("dramatiq", "redis", "hiredis")


def python_environment(name: str) -> Path:
    """The programs of a virtual environment with what ``peers/<name>.lock`` lists; made when it is missing."""
    lock = _lock_of_stock() if name == "stock" else (PEERS / f"{name}.lock").read_text()
    home, wanted = CACHE / name, f"{sys.version}\n{lock}"
    if not _is_made(home, wanted):
        print(f"installing {name} into {home.relative_to(ROOT)}", flush=True)
        venv.create(home, clear=True, with_pip=True)
        (home / "requirements.lock").write_text(lock)
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", home / "requirements.lock"], check=True)
        _made(home, wanted)
    return home / "bin"


def _lock_of_stock() -> str:
    """The entries of our own lock that it needs."""
    entries = re.findall(r"^[^\s#].*(?:\n[ ].*)*\n", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    return "".join(entry for entry in entries if entry.partition("==")[0] in SHARED_PACKAGES)


def node_environment(name: str) -> Path | None:
    """The folder with the packages of ``peers/<name>/package-lock.json``; None where there is no npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    home, source = CACHE / name, PEERS / name
    wanted = (source / "package-lock.json").read_text()
    if not _is_made(home, wanted):
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(source, home)
        subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=home, check=True)
        _made(home, wanted)
    for program in source.glob("*.mjs"):
        shutil.copy(program, home)
    return home


def _is_made(home: Path, wanted: str) -> bool:
    note = home / "installed.txt"
    return note.exists() and note.read_text() == wanted


def _made(home: Path, wanted: str) -> None:
    (CACHE.parent / ".gitignore").write_text("*\n")
    (home / "installed.txt").write_text(wanted)
