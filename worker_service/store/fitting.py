"""Which of some jobs fit a filter: told by their records, the index of a tag, and what a text is looked for in."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import redis

from .job_filter import FIELDS, JobFilter
from .job_record import read_json
from .keys import Keys
from .scripts import Scripts

SEARCHED_BYTES = 4096
"""Of each message, from its beginning, where the arguments are."""

Row = Sequence[bytes | None]
"""Values of `FIELDS`, and of a whole one the last error, the tags and the beginning of the message."""

_PART = 250
"""Jobs that are read at once: the server does nothing else for some 2 ms."""

_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")


def fitting(client: redis.Redis, keys: Keys, ids: list[str], wanted: JobFilter) -> list[str]:
    """Those of the jobs that fit, in the same order; a few round trips.

    Args:
        client: see `connect`.
        keys: of the namespace.
    """
    if wanted.tag is not None:
        ids = _tagged(client, keys, ids, wanted.tag)
    scripts = Scripts(client.execute_command, keys.prefix)
    if wanted.is_narrow or not wanted.is_textual:
        ids = [id for id, row in _peek(scripts, ids, is_whole=False) if wanted.fits(row)]
    if wanted.is_textual:
        ids = [
            id
            for id, row in _peek(scripts, ids, is_whole=True)
            if wanted.fits(row[: len(FIELDS)]) and _says(id, row, wanted)
        ]
    return ids


def _peek(scripts: Scripts, ids: list[str], *, is_whole: bool) -> Iterator[tuple[str, Row]]:
    """What is known of each job, a part at a time; nothing of a key of another type, which nobody of ours made."""
    for begin in range(0, len(ids), _PART):
        part = ids[begin : begin + _PART]
        rows = scripts.run("peek", int(is_whole), SEARCHED_BYTES + 1, *part)
        yield from ((id, row) for id, row in zip(part, rows, strict=True) if row is not None)


def _says(id: str, row: Row, wanted: JobFilter) -> bool:
    """Whether the texts of a job fit."""
    names, (error, tags, message) = row[1:3], row[len(FIELDS) :]
    actor = (names[1] or b"").decode(errors="replace")
    is_searched = wanted.searched is None or actor in wanted.searched
    if wanted.error and not any(wanted.error.casefold() in text.casefold() for text in _error(error)):
        return False
    if wanted.argument:
        path, text = wanted.argument
        positions = () if wanted.searched is None else wanted.searched.get(actor, ())
        if not is_searched or not _is(_at(_named(read_json(message), positions), path), text):
            return False
    if not wanted.text:
        return True
    texts = (id, *_texts([*names, tags]), *_error(error))
    # Not the arguments of other actors: who is told that a text stands there could guess one letter after the other.
    arguments = (_unescaped(message[:SEARCHED_BYTES]),) if is_searched and message else ()
    return any(wanted.text.casefold() in text.casefold() for text in (*texts, *arguments))


def _tagged(client: redis.Redis, keys: Keys, ids: list[str], tag: str) -> list[str]:
    if not ids:
        return []
    instants = client.zmscore(keys.tag(tag), ids)
    return [id for id, instant in zip(ids, instants, strict=True) if instant is not None]


def _named(message: Any, names: Sequence[str]) -> Any:
    if not isinstance(message, dict) or not isinstance(message.get("args"), list):
        return {}
    return {**dict(zip(names, message["args"], strict=False)), **message.get("kwargs", {})}


def _at(value: Any, path: str) -> Any:
    """What stands at a path; ``...`` for nothing, which is no JSON."""
    for name in path.split("."):
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return ...
    return value


def _is(value: Any, text: str) -> bool:
    """Whether a value is what a text says: the text itself, or its JSON."""
    if value is ... or isinstance(value, str):
        return value == text
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text


def _texts(values: Iterable[bytes | None]) -> Iterable[str]:
    yield from (value.decode(errors="replace") for value in values if value is not None)


def _error(text: Any) -> Iterable[str]:
    error = read_json(text)
    if isinstance(error, dict):
        yield from (str(error[name]) for name in ("type", "message") if name in error)


def _unescaped(message: bytes) -> str:
    """The arguments as JSON, cut where the message is."""
    text = message.decode(errors="replace")
    _, _, text = text.partition('"args":')
    text = text.rpartition(',"options":{')[0] or text
    if "\\u" not in text:
        return text
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
