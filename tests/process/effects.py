"""Starts the sink of effects, and reads what it has written."""

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.process import sink
from tests.waiting import wait_until


class Effects:
    """What jobs did to the world, as another process wrote it down in ``file``. Close it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "effects"
        self._folder = tempfile.TemporaryDirectory(
            prefix="sink-"
        )  # a test's own may be too deep for a socket's name
        self.address = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen(
            [sys.executable, sink.__file__, self.address, str(self.file)], start_new_session=True
        )
        wait_until(Path(self.address).exists, timeout=15, message="the sink of effects did not start")

    def count(self, word: str) -> Counter[str]:
        """How often each name was written with this word."""
        return Counter(line[1] for line in self._lines() if line[0] == word)

    def times(self, word: str, name: str) -> list[float]:
        """When a name was written with this word, in seconds of the wall clock."""
        return [float(line[2]) for line in self._lines() if line[:2] == [word, name]]

    def all_times(self, word: str) -> dict[str, list[float]]:
        """When each name was written with this word, in this order."""
        found: dict[str, list[float]] = {}
        for line in self._lines():
            if line[0] == word:
                found.setdefault(line[1], []).append(float(line[2]))
        return found

    def _lines(self) -> list[list[str]]:
        return [line.split() for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()
