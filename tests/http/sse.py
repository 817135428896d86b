"""Reads server-sent events as a browser does."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event; its data decoded, None when there are none."""

    name: str
    data: Any
    id: str | None


def events(chunks: Iterable[bytes]) -> Iterator[Event]:
    """The events of a stream; comments and ``retry`` are left out."""
    buffer = b""
    for chunk in chunks:
        buffer += chunk
        while b"\n\n" in buffer:
            block, _, buffer = buffer.partition(b"\n\n")
            event = _read(block.decode())
            if event is not None:
                yield event


def _read(block: str) -> Event | None:
    fields: dict[str, str] = {}
    for line in block.splitlines():
        name, _, value = line.partition(":")
        fields[name] = value.removeprefix(" ")
    if "data" not in fields:
        return None
    return Event(
        fields.get("event", "message"),
        json.loads(fields["data"]) if fields["data"] else None,
        fields.get("id"),
    )
