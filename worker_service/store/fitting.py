"""Which of some jobs fit a filter: told by their records, the index of a tag, and what a text is looked for in."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import redis

from .job_filter import FIELDS, JobFilter
from .job_record import read_json
from .keys import Keys

SEARCHED_BYTES = 4096
"""Of each message, from its beginning, where the arguments are."""

_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")


def fitting(client: redis.Redis, keys: Keys, ids: list[str], wanted: JobFilter) -> list[str]:
    """Those of the jobs that fit, in the same order; a few round trips.

    Args:
        client: see `connect`.
        keys: of the namespace.
    """
    if wanted.tag is not None:
        ids = _tagged(client, keys, ids, wanted.tag)
    with client.pipeline(transaction=False) as pipe:
        for id in ids:
            pipe.hmget(keys.job(id), FIELDS)
        rows = pipe.execute(raise_on_error=False)  # of keys of another type, which nobody of ours made
    ids = [id for id, row in zip(ids, rows, strict=True) if wanted.fits(row)]
    if wanted.error:
        ids = _failed_with(client, keys, ids, wanted.error.casefold())
    if wanted.argument:
        ids = _called_with(client, keys, ids, *wanted.argument, searched=wanted.searched)
    return _mentioning(client, keys, ids, wanted.text.casefold(), wanted.searched) if wanted.text else ids


def _tagged(client: redis.Redis, keys: Keys, ids: list[str], tag: str) -> list[str]:
    if not ids:
        return []
    instants = client.zmscore(keys.tag(tag), ids)
    return [id for id, instant in zip(ids, instants, strict=True) if instant is not None]


def _failed_with(client: redis.Redis, keys: Keys, ids: list[str], wanted: str) -> list[str]:
    with client.pipeline(transaction=False) as pipe:
        for id in ids:
            pipe.hget(keys.out(id), "error")
        errors = pipe.execute(raise_on_error=False)
    return [
        id
        for id, error in zip(ids, errors, strict=True)
        if any(wanted in text.casefold() for text in _error(error))
    ]


def _called_with(
    client: redis.Redis,
    keys: Keys,
    ids: list[str],
    path: str,
    text: str,
    *,
    searched: Mapping[str, Sequence[str]] | None,
) -> list[str]:
    """A message that is longer than `SEARCHED_BYTES` is not looked at."""
    with client.pipeline(transaction=False) as pipe:
        for id in ids:
            pipe.hget(keys.job(id), "actor")
            pipe.getrange(keys.msg(id), 0, SEARCHED_BYTES)
        replies = pipe.execute(raise_on_error=False)
    found = []
    for id, name, message in zip(ids, replies[::2], replies[1::2], strict=True):
        actor = name.decode(errors="replace") if isinstance(name, bytes) else ""
        if searched is not None and actor not in searched:
            continue
        names = () if searched is None else searched[actor]
        if _is(_at(_named(read_json(message), names), path), text):
            found.append(id)
    return found


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


def _mentioning(
    client: redis.Redis, keys: Keys, ids: list[str], wanted: str, searched: Mapping[str, Sequence[str]] | None
) -> list[str]:
    with client.pipeline(transaction=False) as pipe:
        for id in ids:
            pipe.hmget(keys.job(id), "actor", "queue")
            pipe.get(keys.tags(id))
            pipe.hget(keys.out(id), "error")
            pipe.getrange(keys.msg(id), 0, SEARCHED_BYTES - 1)
        replies = pipe.execute(raise_on_error=False)
    found = zip(ids, replies[::4], replies[1::4], replies[2::4], replies[3::4], strict=True)
    return [
        id
        for id, names, tags, error, message in found
        if any(
            wanted in text.casefold()
            for text in (
                id,
                *_texts(names),
                *_texts([tags]),
                *_error(error),
                *_arguments(names, message, searched),
            )
        )
    ]


def _texts(values: Any) -> Iterable[str]:
    if isinstance(values, list):
        yield from (value.decode(errors="replace") for value in values if isinstance(value, bytes))


def _error(text: Any) -> Iterable[str]:
    error = read_json(text)
    if isinstance(error, dict):
        yield from (str(error[name]) for name in ("type", "message") if name in error)


def _arguments(names: Any, message: Any, searched: Mapping[str, Sequence[str]] | None) -> Iterable[str]:
    """Not those of other actors: who is told that a text stands there could guess one letter after the other."""
    if searched is None or (
        isinstance(names, list) and (names[0] or b"").decode(errors="replace") in searched
    ):
        yield _unescaped(message)


def _unescaped(message: Any) -> str:
    """The arguments as JSON, cut where the message is."""
    if not isinstance(message, bytes):
        return ""
    text = message.decode(errors="replace")
    _, _, text = text.partition('"args":')
    text = text.rpartition(',"options":{')[0] or text
    if "\\u" not in text:
        return text
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
