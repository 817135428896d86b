"""``top``: what waits, who works, how much is done and what fails, at one look and again and again.

Reading order: reading (what is asked), rates (what two readings tell), warnings (what is wrong, in words), screen (how
it is painted), live (a terminal while it shows it).
"""

import io
import os
import sys
import time
from typing import TYPE_CHECKING

import click

from ..command import as_json, asks
from ..output import say_json

if TYPE_CHECKING:
    from ...client import Client

CANNOT_MOVE = (None, "", "dumb", "unknown")
"""Terminals that only print line after line."""
PLAIN_COLUMNS = 160
"""Where no terminal says how wide it is."""


@click.command()
@click.option("--interval-ms", default=2_000, show_default=True, type=click.IntRange(200, 60_000))
@click.option("--once", is_flag=True, help="Print it once, and end.")
@as_json
@asks
def top(client: "Client", interval_ms: int, once: bool, json_wanted: bool) -> None:
    """What waits, who works, how much is done and what fails, until q or Ctrl-C; p pauses.

    Where the output is no terminal, or one that cannot move its cursor, it is printed again and again.
    """
    from .live import watch

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="replace"
        )  # a terminal without Unicode shows no charts, but all the rest
    if json_wanted:
        _print_json(client, interval_ms, once=once)
    elif once or not sys.stdout.isatty() or os.environ.get("TERM") in CANNOT_MOVE:
        _print_plain(client, interval_ms, once=once)
    else:
        watch(client, interval_ms / 1000)


def _print_json(client: "Client", interval_ms: int, *, once: bool) -> None:
    from .reading import read

    while True:
        say_json(read(client).to_json())
        if once:
            return
        time.sleep(interval_ms / 1000)


def _print_plain(client: "Client", interval_ms: int, *, once: bool) -> None:
    from rich.console import Console

    from .rates import Rates
    from .reading import read
    from .screen import screen

    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_COLUMNS)
    rates = Rates()
    while True:
        reading = read(client)
        rates.add(reading)
        with console.capture() as painted:
            console.print(screen(reading, rates))
        click.echo("\n".join(line.rstrip() for line in painted.get().splitlines()))
        if once:
            return
        time.sleep(interval_ms / 1000)
