"""``top`` at a terminal: the alternate screen, keys, and a new size of the window. However it ends, the terminal is as
it was."""

import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleDimensions, Group
from rich.live import Live

from .rates import Rates
from .reading import read
from .screen import screen

if TYPE_CHECKING:
    from ...client import Client

LOOK_SECONDS = 0.2
"""How often keys and the size of the window are looked at."""
QUIT, PAUSE = "q", "p"
HELP = "q quit   p pause"


def watch(client: "Client", seconds: float) -> None:
    """Show it until q, Ctrl-C or SIGTERM.

    Args:
        seconds: between two readings.

    Raises:
        NoAnswer: the service is away from the beginning; later that is shown, and it is asked again.
    """
    view = _View(client)
    exported = ("COLUMNS", "LINES")  # by a shell, before the window got the size that it has
    console = Console(_environ={name: value for name, value in os.environ.items() if name not in exported})
    _end_by_signals()
    with _keys() as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(view.painted(console.size), refresh=True)
            key = _next_key(keys, console, seconds)
            if key == QUIT:
                return
            if key == PAUSE:
                view.is_paused = not view.is_paused
            elif key is None and not view.is_paused:
                view.read()


class _View:
    """What is on the screen."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._rates = Rates()
        self._reading = read(client)
        self._rates.add(self._reading)
        self._trouble = ""
        self.is_paused = False

    def read(self) -> None:
        """Ask again; while nobody answers the numbers stay, and the view says so."""
        from ...client import NoAnswer

        try:
            self._reading = read(self._client)
        except NoAnswer as error:
            why = error.problem.detail if error.problem else str(error)
            self._trouble = f"{why} These are the numbers of before."
            return
        self._trouble = ""
        self._rates.add(self._reading)

    def painted(self, size: ConsoleDimensions) -> Group:
        """All of it, as far as it fits."""
        paused = "paused" if self.is_paused else ""
        note = "   ".join(filter(None, (HELP, paused, self._trouble)))
        return screen(self._reading, self._rates, rows=size.height, columns=size.width, note=note)


def _next_key(keys: int | None, console: Console, seconds: float) -> str | None:
    """The next key, or "" when the window has another size; None when the time is up."""
    ends_at, size = time.monotonic() + seconds, console.size
    while (left := ends_at - time.monotonic()) > 0:
        if keys is None:
            time.sleep(min(left, LOOK_SECONDS))
        elif select.select([keys], [], [], min(left, LOOK_SECONDS))[0]:
            typed = os.read(keys, 1)
            return typed.decode(errors="replace") if typed else QUIT  # the terminal is gone
        if console.size != size:
            return ""
    return None


@contextmanager
def _keys() -> Iterator[int | None]:
    """Where keys come from one by one, unseen; None where the input is no terminal."""
    if not sys.stdin.isatty():
        yield None
        return
    keys = sys.stdin.fileno()
    before = termios.tcgetattr(keys)
    tty.setcbreak(keys)
    try:
        yield keys
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)


def _end_by_signals() -> None:
    """Let signals end it as an exception does."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
