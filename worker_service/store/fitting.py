"""Which of some jobs fit a filter: told by their records, the index of a tag, and what a text is looked for in."""

import re
from collections.abc import Iterable
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
    return _mentioning(client, keys, ids, wanted.text.casefold(), wanted.searched) if wanted.text else ids


def _tagged(client: redis.Redis, keys: Keys, ids: list[str], tag: str) -> list[str]:
    if not ids:
        return []
    instants = client.zmscore(keys.tag(tag), ids)
    return [id for id, instant in zip(ids, instants, strict=True) if instant is not None]


def _mentioning(
    client: redis.Redis, keys: Keys, ids: list[str], wanted: str, searched: frozenset[str] | None
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


def _arguments(names: Any, message: Any, searched: frozenset[str] | None) -> Iterable[str]:
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
