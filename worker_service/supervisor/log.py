"""Log lines of several processes on one output."""

import contextlib
import io
import json
import os
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

_COLOURS = (36, 32, 35, 33, 34)  # cyan, green, magenta, yellow, blue


class Log:
    """Writes lines with the name of who said them, coloured on a terminal.

    Args:
        names: of all who will say something.
        prefixed: whether they stand before the lines.
        as_json: lines are JSON: what is none becomes some, and nothing stands before them.
    """

    def __init__(self, names: Sequence[str], *, prefixed: bool = True, as_json: bool = False) -> None:
        self._as_json = as_json
        self._lock = threading.Lock()
        self._out = sys.stdout
        if isinstance(self._out, io.TextIOWrapper):
            self._out.reconfigure(
                errors="backslashreplace"
            )  # a line that cannot be shown must not stop the rest
        colour = self._out is not None and self._out.isatty() and "NO_COLOR" not in os.environ
        is_prefixed = prefixed and not as_json
        self._prefix = _prefixes(names, colour) if is_prefixed else dict.fromkeys(names, "")

    def write(self, name: str, text: str) -> None:
        """Write each line of a text."""
        lines = text.splitlines()
        if self._as_json:
            lines = [line if line.startswith("{") else _as_json(name, line) for line in lines]
        self.write_plain("\n".join(self._prefix[name] + line for line in lines))

    def write_plain(self, text: str) -> None:
        """Write a text that is to be copied: nothing stands before its lines."""
        with self._lock:
            if self._out is None:
                return
            try:
                self._out.write(text + "\n")
                self._out.flush()
            except BlockingIOError:
                return  # a reader that is slow, and made the pipe so: it misses a line
            except OSError:
                self._forget_reader()

    def _forget_reader(self) -> None:
        """Nobody reads any more (`up | head -1`): go on in silence; Python would fail at exit to write the rest."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        with contextlib.suppress(OSError):
            os.dup2(nowhere, self._out.fileno())
        os.close(nowhere)


def _as_json(name: str, text: str) -> str:
    line = {
        "event": text,
        "level": "info",
        "logger": name,
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def _prefixes(names: Sequence[str], colour: bool) -> dict[str, str]:
    width = max(map(len, names))
    plain = {name: f"{name:<{width}} |" for name in names}
    if not colour:
        return {name: f"{prefix} " for name, prefix in plain.items()}
    return {name: f"\x1b[{_COLOURS[i % 5]}m{plain[name]}\x1b[0m " for i, name in enumerate(names)}
