"""What commands print: tables and objects for people, JSON for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

NONE = "-"


def say_json(found: Any) -> None:
    """One line of JSON."""
    click.echo(json.dumps(found, ensure_ascii=False))


def table(heads: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A table of some fields; a head is the name of a field, with blanks for underscores."""
    lines = [tuple(heads), *(tuple(word(row.get(head.replace(" ", "_"))) for head in heads) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def fields(found: Mapping[str, Any]) -> None:
    """An object, a field a line; what is empty is left out, and what has lines of its own is set in."""
    shown = {
        name: value for name, value in found.items() if value not in (None, [], {}, "") and name != "links"
    }
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        text = word(value)
        click.echo(f"{name.ljust(width)}  {text.replace(chr(10), chr(10) + ' ' * (width + 2)).rstrip()}")


def word(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
