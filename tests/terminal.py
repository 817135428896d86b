"""A command at a terminal: what it paints, which keys it is given, and how it leaves the terminal."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.waiting import wait_until

ALTERNATE, NORMAL = "\x1b[?1049h", "\x1b[?1049l"
"""What switches to the alternate screen, and back."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-B0]|\r")


class Terminal:
    """Runs a command whose input, output and errors are a pseudo-terminal of its own.

    Args:
        command: with its arguments.
        environment: all of it; by default a terminal of a usual kind.
        columns, rows: size of the terminal.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        columns: int = 120,
        rows: int = 40,
    ) -> None:
        self._master, slave = os.openpty()
        self.resize(columns, rows)
        self._before = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            [*command],
            env={"TERM": "xterm-256color", **environment},
            preexec_fn=lambda: _at(slave),  # noqa: PLW1509 - Ctrl-C needs a terminal of its own
        )
        self._raw = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(5)
        os.close(self._slave)
        os.close(self._master)

    def resize(self, columns: int, rows: int) -> None:
        """Another size, as when the window of a person gets one."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: str) -> None:
        """What a person types; ``\\x03`` is Ctrl-C."""
        os.write(self._master, keys.encode())

    @property
    def raw(self) -> str:
        """All that was written so far."""
        return self._raw.decode(errors="replace")

    def text(self, since: int = 0) -> str:
        """The same without colours and movements.

        Args:
            since: where in `raw` to begin.
        """
        return _CONTROL.sub("", self.raw[since:])

    def wait_for(self, words: str, since: int = 0, timeout: float = 20) -> None:
        """Until words are painted."""
        wait_until(
            lambda: words in self.text(since) or self.process.poll() is not None,
            timeout,
            message=f"{words!r} is not shown",
        )
        wait_until(lambda: words in self.text(since), 1, message=f"ended without {words!r}: {self.text()}")

    def end(self, timeout: float = 10) -> int:
        """The exit code, once the command has ended."""
        code = self.process.wait(timeout)
        wait_until(lambda: not select.select([self._master], [], [], 0)[0])
        return code

    @property
    def is_restored(self) -> bool:
        """Whether it is as it was: echo, lines, the normal screen, the cursor shown."""
        back = self.raw.rfind(NORMAL) > self.raw.rfind(ALTERNATE) or ALTERNATE not in self.raw
        cursor = self.raw.rfind("\x1b[?25h") >= self.raw.rfind("\x1b[?25l")
        return back and cursor and termios.tcgetattr(self._slave) == self._before

    def interrupt(self) -> None:
        """SIGTERM, as from a service manager."""
        self.process.send_signal(signal.SIGTERM)

    def _read(self) -> None:
        while True:
            try:
                ready, _, _ = select.select([self._master], [], [], 0.1)
                if ready:
                    self._raw += os.read(self._master, 65536)
                elif self.process.poll() is not None:
                    return
            except (OSError, ValueError):
                return


def environment_of(**settings: Any) -> dict[str, str]:
    """That of this process, with these settings of the service and no others."""
    without = ("JOBS_", "REDIS_", "COLUMNS", "LINES", "TERM")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    return {**inherited, **{name: str(value) for name, value in settings.items()}}


def _at(slave: int) -> None:
    """In the process that is to be: its terminal. What a shell runs in the background ignores Ctrl-C otherwise."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.login_tty(os.dup(slave))
