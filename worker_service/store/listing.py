"""Lists of jobs, newest first, in pages, without ever reading everything.

A filter by state reads the index of that state when it has at most `LOOK_LIMIT` members. Otherwise the newest
`LOOK_LIMIT` jobs (of a tag, if one is asked for) are looked at, `TEXT_LOOK_LIMIT` for a text, and the page says that it
was cut there; its cursor goes on from that place.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import redis

from ..jobs.states import FINAL, State
from .connection import translated
from .fitting import fitting
from .job_filter import JobFilter
from .job_record import Job
from .queries import Queries

LOOK_LIMIT = 10_000
TEXT_LOOK_LIMIT = 5_000
"""The same where more than the records of jobs has to be read."""

EVERY_JOB = JobFilter()
_CHUNK = 500


class Place(NamedTuple):
    """Where a job stands in the order of lists."""

    created_at_ms: int
    id: str

    def to_text(self) -> str:
        """The place as an opaque cursor."""
        return base64.urlsafe_b64encode(f"{self.created_at_ms}:{self.id}".encode()).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str) -> "Place":
        """Read a cursor.

        Raises:
            ValueError: it is none of ours.
        """
        instant, _, id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        return cls(int(instant), id)


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs of a list.

    Attributes:
        next: where the next page begins, None at the end.
        truncated: whether the search stopped at its bound before the page was full.
    """

    jobs: list[Job]
    next: Place | None
    truncated: bool


class Listing:
    """Lists the jobs of one namespace.

    Args:
        client: see `connect`.
        reads: of the same namespace.
    """

    def __init__(self, client: redis.Redis, reads: Queries) -> None:
        self._client = client
        self._reads = reads
        self._keys = reads.keys

    def page(
        self,
        limit: int,
        wanted: JobFilter = EVERY_JOB,
        *,
        after: Place | None = None,
        brief: bool = False,
    ) -> JobPage:
        """At most ``limit`` jobs that fit, from behind ``after`` on.

        Args:
            brief: without message, result and deliveries; see `Queries.jobs`.
        """
        places, rest, truncated = self._search(limit, wanted, after)
        jobs = self._reads.jobs([place.id for place in places], brief=brief)
        return JobPage(jobs, rest, truncated)

    def _search(
        self, limit: int, wanted: JobFilter, after: Place | None
    ) -> tuple[list[Place], Place | None, bool]:
        if wanted.until_ms is not None:
            end = Place(wanted.until_ms, "")
            after = min(after, end) if after else end
        index = self._index(wanted.state, wanted.queue) if wanted.state else None
        newest = self._keys.jobs if wanted.tag is None else self._keys.tag(wanted.tag)
        chunks = self._newest(newest, after, wanted.since_ms) if index is None else _sliced(index, after)
        most = min(LOOK_LIMIT, TEXT_LOOK_LIMIT) if wanted.is_textual else LOOK_LIMIT
        found: list[Place] = []
        looked = 0
        with translated():
            for places in chunks:
                found += self._that_fit(places, wanted)
                looked += len(places)
                if len(found) > limit:
                    return found[:limit], found[limit - 1], False
                if looked >= most:
                    return found, places[-1], True
        return found, None, False

    def _newest(self, index: str, after: Place | None, since_ms: int | None) -> Iterator[list[Place]]:
        """The jobs of an index behind a place.

        Read from an instant on and never from an offset: who leaves the index meanwhile moves no other out of sight.
        """
        lowest = "-inf" if since_ms is None else str(since_ms)
        highest = str(after.created_at_ms) if after else "+inf"
        while True:
            places = self._between(index, highest, lowest, _CHUNK)
            full = len(places) == _CHUNK
            if full and places[0].created_at_ms == places[-1].created_at_ms:
                instant = str(places[0].created_at_ms)
                places, highest = self._between(index, instant, instant), f"({instant}"
            elif full:
                highest = str(places[-1].created_at_ms)
            yield from _sliced(places, after)
            if not full:
                return
            after = min(places[-1], after) if after else places[-1]

    def _between(self, index: str, highest: str, lowest: str, most: int | None = None) -> list[Place]:
        start = None if most is None else 0
        rows: Any = self._client.zrevrangebyscore(
            index, highest, lowest, start=start, num=most, withscores=True
        )
        return [Place(int(instant), id.decode()) for id, instant in rows]

    def _index(self, state: State, queue: str | None) -> list[Place] | None:
        """The jobs in a state, newest first; None when there are too many."""
        with translated():
            if state is State.RUNNING:
                ids = self._running()
            else:
                keys = self._index_keys(state, queue)
                if self._total(keys) > LOOK_LIMIT:
                    return None
                ids = self._members(keys)
            return sorted(self._places(ids), reverse=True)

    def _index_keys(self, state: State, queue: str | None) -> list[str]:
        if state in FINAL:
            return [self._keys.final(state)]
        queues = [queue] if queue else self._reads.queues()
        name = self._keys.ready if state is State.QUEUED else self._keys.due
        return [name(each) for each in queues]

    def _total(self, keys: list[str]) -> int:
        with self._client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.zcard(key)
            return sum(pipe.execute())

    def _members(self, keys: list[str]) -> list[bytes]:
        with self._client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.zrange(key, 0, LOOK_LIMIT)
            return [id for ids in pipe.execute() for id in ids]

    def _running(self) -> list[bytes]:
        with self._client.pipeline(transaction=False) as pipe:
            for session in self._reads.sessions():
                pipe.hkeys(self._keys.running(session))
            return [id for ids in pipe.execute() for id in ids]

    def _places(self, ids: list[bytes]) -> list[Place]:
        with self._client.pipeline(transaction=False) as pipe:
            for begin in range(0, len(ids), _CHUNK):
                pipe.zmscore(self._keys.jobs, ids[begin : begin + _CHUNK])  # type: ignore[arg-type]
            instants = [instant for chunk in pipe.execute() for instant in chunk]
        return [
            Place(int(instant), id.decode())
            for id, instant in zip(ids, instants, strict=True)
            if instant is not None  # else it was removed just now
        ]

    def _that_fit(self, places: list[Place], wanted: JobFilter) -> list[Place]:
        """Those whose record fits now: an index was read a moment ago."""
        if wanted == EVERY_JOB:
            return places
        found = set(fitting(self._client, self._keys, [place.id for place in places], wanted))
        return [place for place in places if place.id in found]


def _sliced(places: list[Place], after: Place | None) -> Iterator[list[Place]]:
    rest = [place for place in places if after is None or place < after]
    for begin in range(0, len(rest), _CHUNK):
        yield rest[begin : begin + _CHUNK]
