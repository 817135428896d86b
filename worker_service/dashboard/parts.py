"""Long lists that the HTTP interface answers whole, shown a part at a time."""

from dataclasses import dataclass
from typing import Any

from flask import request

SHOWN = 100
"""Rows on one page."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list.

    Attributes:
        begin: how many come before it.
        end: where the next part begins; None for the last one.
    """

    items: list[Any]
    begin: int
    end: int | None


def part(items: list[Any]) -> Part:
    """The part that the address of the page asks for."""
    begin = max(0, request.args.get("begin", 0, type=int))
    end = begin + SHOWN
    return Part(items[begin:end], begin, end if end < len(items) else None)
