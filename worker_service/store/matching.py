"""All jobs that fit a filter, however many, as they stood at an instant.

They are found in chunks, in the order of an index by instant: that of a final state, by the end of the job, or that
of a tag or of all jobs, by creation. What came into the index later is not looked at; so who changes each chunk before
he takes the next one comes to an end, even if the jobs come back meanwhile. A chunk ends between two instants, never
within one: members that leave the index do not move those behind them into a chunk that was read.
"""

from dataclasses import dataclass
from math import inf

import redis

from ..jobs.states import FINAL
from .connection import translated
from .fitting import fitting
from .job_filter import JobFilter
from .keys import Keys

CHUNK = 200
Position = tuple[int, int]
"""Number of the index, and the instant behind which the next chunk begins."""
BEGIN: Position = (0, -1)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of the jobs.

    Attributes:
        ids: of those that fit.
        looked: how many were looked at.
        next: where the next chunk begins; None at the end.
    """

    ids: list[str]
    looked: int
    next: Position | None


class Matching:
    """Finds jobs of one namespace.

    Args:
        client: see `connect`.
        keys: of the namespace.
    """

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def chunk(self, wanted: JobFilter, position: Position, at_ms: float) -> Chunk:
        """The jobs that fit behind a position.

        Args:
            wanted: its states are either final or not.
            at_ms: what came into its state (or, if that is not final, was created) later is left out.
        """
        indexes = self._indexes(wanted)
        number, behind = position
        with translated():
            ids, last = self._members(indexes[number], behind, at_ms)
            fits = fitting(self._client, self._keys, ids, wanted)
        if last is not None:
            return Chunk(fits, len(ids), (number, last))
        return Chunk(fits, len(ids), (number + 1, -1) if number + 1 < len(indexes) else None)

    def to_look_at(self, wanted: JobFilter, at_ms: float) -> int:
        """How many jobs all chunks look at."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            for index in self._indexes(wanted):
                pipe.zcount(index, "-inf", at_ms)
            return sum(pipe.execute())

    def count(self, wanted: JobFilter, most: int) -> tuple[int, bool]:
        """How many jobs fit now, and whether the count stopped after looking at ``most`` or a few more."""
        found = looked = 0
        position: Position | None = BEGIN
        while position is not None and looked < most:
            chunk = self.chunk(wanted, position, inf)
            found, looked, position = found + len(chunk.ids), looked + chunk.looked, chunk.next
        return found, position is not None

    def _indexes(self, wanted: JobFilter) -> list[str]:
        if wanted.tag is not None:
            return [self._keys.tag(wanted.tag)]
        if wanted.states and FINAL.issuperset(wanted.states):
            return [self._keys.final(state) for state in wanted.states]
        return [self._keys.jobs]

    def _members(self, index: str, behind: int, at_ms: float) -> tuple[list[str], int | None]:
        """The next ones, and the instant of the last of them if there may be more."""
        rows: list[tuple[bytes, float]] = self._client.zrangebyscore(
            index, f"({behind}", at_ms, start=0, num=CHUNK, withscores=True
        )  # type: ignore[assignment]
        if len(rows) < CHUNK:
            return [id.decode() for id, _ in rows], None
        last = int(rows[-1][1])
        of_last: list[bytes] = self._client.zrangebyscore(index, last, last)  # type: ignore[assignment]
        return [id.decode() for id in (*(id for id, at in rows if at < last), *of_last)], last
