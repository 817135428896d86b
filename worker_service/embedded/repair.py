"""Mends an append-only file with the server's own tool: everything from the damage on is cut off.

The tool is the server binary itself, called by another name. It is given the damaged file alone, not the manifest of
all: Valkey 9's then refuses the undamaged base file, whose first bytes it does not know.
"""

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .binary import find_server
from .claim import claimed
from .errors import NotRepairable

_TOOL = "redis-check-aof"  # Valkey answers to this name too
_ANALYSIS = re.compile(r"AOF analyzed: .*\bsize=(\d+), ok_up_to=(\d+)")


@dataclass(frozen=True, slots=True)
class Damage:
    """Where an append-only file stops making sense: at byte ``sound`` of ``size``."""

    file: Path
    sound: int
    size: int


def find_damage(data_dir: Path, binary: str | Path | None = None) -> Damage | None:
    """Look for damage in the append-only files of a server that does not run; None when there is none.

    Arguments:
        data_dir: of the server.
        binary: see `find_server`.

    Raises:
        DataDirInUse: a server runs there.
        NotRepairable: there are no such files, or a later file builds on the damaged one.
        ServerNotFound: see `find_server`.
    """
    tool = find_server(binary)
    if not data_dir.is_dir():
        raise NotRepairable(f"There is no data directory {data_dir}.")
    with claimed(data_dir):
        files = _append_only_files(data_dir)
        for file in files:
            damage = _check(tool, file)
            if damage and file != files[-1]:
                raise NotRepairable(
                    f"{file} is damaged, and later files build on it. {_start_afresh(data_dir)}"
                )
            if damage:
                return damage
    return None


def repair(data_dir: Path, damage: Damage, binary: str | Path | None = None) -> Path:
    """Cut the damaged rest off; returns the folder with a copy of all as it was before.

    Raises:
        DataDirInUse: a server runs there.
        NotRepairable: the tool did not manage.
        OSError: the copy cannot be written.
        ServerNotFound: see `find_server`.
    """
    tool = find_server(binary)
    with claimed(data_dir):
        copy = data_dir / f"before-repair-{time.strftime('%Y%m%d-%H%M%S')}"
        if damage.file.parent == data_dir:  # servers before 7.0 have no folder for it
            copy.mkdir()
            shutil.copy2(damage.file, copy)
        else:
            shutil.copytree(damage.file.parent, copy)
        words = _run(tool, "--fix", damage.file)
        if _check(tool, damage.file):
            raise NotRepairable(f"The repair failed:\n{words}\n{_start_afresh(data_dir)}")
    return copy


def _append_only_files(data_dir: Path) -> list[Path]:
    """In the order in which they are read; without the base file, which has a format of its own."""
    manifest = next(data_dir.glob("appendonlydir/*.manifest"), None)
    if manifest is None:
        single = data_dir / "appendonly.aof"
        if not single.exists():
            raise NotRepairable(f"There is no append-only file in {data_dir}.")
        return [single]
    entries = [line.split() for line in manifest.read_text().splitlines()]
    parts = [dict(zip(words[::2], words[1::2], strict=False)) for words in entries]
    steps = sorted((part for part in parts if part.get("type") == "i"), key=lambda part: int(part["seq"]))
    return [manifest.parent / part["file"] for part in steps]


def _check(tool: Path, file: Path) -> Damage | None:
    if not file.stat().st_size:
        return None  # the tool takes an empty file for a damaged one
    words = _run(tool, file)
    found = _ANALYSIS.findall(words)
    if not found:
        raise NotRepairable(f"{_TOOL} cannot read {file}:\n{words}")
    size, sound = map(int, found[-1])
    return Damage(file, sound, size) if sound < size else None


def _run(tool: Path, *arguments: str | Path) -> str:
    done = subprocess.run(
        [_TOOL, *arguments],
        executable=tool,
        input="y\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.stdout.strip()


def _start_afresh(data_dir: Path) -> str:
    return f"Put the directory away to start with no jobs: mv '{data_dir}' '{data_dir}.damaged'"
