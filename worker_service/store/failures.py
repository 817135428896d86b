"""Dead jobs, grouped by what made them die.

There is no index of groups that would have to be kept true. The newest `LOOK_LIMIT` dead jobs, as many as retention
keeps, are read whenever somebody asks: four small fields of each, in pipelines. Those that were run again with other
arguments are left out: the new job tells whether that helped.
"""

from dataclasses import dataclass, field
from typing import Any

import redis

from ..jobs.states import State
from .connection import translated
from .job_record import fingerprint_of, read_json, text_of
from .keys import Keys

LOOK_LIMIT = 10_000
MOST_GROUPS = 500
_CHUNK = 1_000
HOURS = 24
"""For which deaths are counted hour by hour."""

_HOUR_MS = 3600 * 1000
_FIELDS = ("actor", "reason", "fingerprint", "replayed_as")


@dataclass(slots=True)
class Failure:
    """One group of dead jobs.

    Attributes:
        reason, error: of the newest one; the error is None when it has none.
        first_ms, last_ms: when the oldest and the newest of them died.
        per_hour: how many died in each of the last `HOURS`, the oldest first.
        newest: id of the newest one.
    """

    fingerprint: str
    actor: str
    reason: str
    newest: str
    last_ms: int
    first_ms: int
    count: int = 0
    error: dict[str, Any] | None = None
    per_hour: list[int] = field(default_factory=lambda: [0] * HOURS)


@dataclass(frozen=True, slots=True)
class FailureList:
    """Groups of dead jobs, that of the newest first.

    Attributes:
        truncated: whether there are more dead jobs than were looked at, or more groups than are listed.
    """

    failures: list[Failure]
    truncated: bool


class Failures:
    """Groups of one namespace.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._client = client
        self._keys = Keys(namespace)

    def read(self, *, now_ms: int | None = None) -> FailureList:
        """The groups of the newest dead jobs.

        Args:
            now_ms: replaces the server's clock, for tests.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            with self._client.pipeline(transaction=False) as pipe:
                pipe.time()
                pipe.zrevrange(self._keys.final(State.DEAD), 0, LOOK_LIMIT, withscores=True)
                (seconds, _), rows = pipe.execute()
            now_ms = seconds * 1000 if now_ms is None else now_ms
            deaths = [(id.decode(), int(instant)) for id, instant in rows[:LOOK_LIMIT]]
            groups: dict[str, Failure] = {}
            for begin in range(0, len(deaths), _CHUNK):
                self._gather(groups, deaths[begin : begin + _CHUNK], now_ms)
            shown = list(groups.values())[:MOST_GROUPS]
            self._add_errors(shown)
        return FailureList(shown, len(rows) > LOOK_LIMIT or len(groups) > MOST_GROUPS)

    def _gather(self, groups: dict[str, Failure], deaths: list[tuple[str, int]], now_ms: int) -> None:
        with self._client.pipeline(transaction=False) as pipe:
            for id, _ in deaths:
                pipe.hmget(self._keys.job(id), _FIELDS)
            replies = pipe.execute(raise_on_error=False)  # of keys of another type, which nobody of ours made
        for (id, died_at), reply in zip(deaths, replies, strict=True):
            readable = {} if isinstance(reply, Exception) else dict(zip(_FIELDS, reply, strict=True))
            record = text_of(readable)
            if "replayed_as" in record:  # somebody has dealt with it
                continue
            group = fingerprint_of(record)
            if group not in groups:
                actor, reason = record.get("actor", ""), record.get("reason", "")
                groups[group] = Failure(group, actor, reason, newest=id, last_ms=died_at, first_ms=died_at)
            groups[group].first_ms = died_at
            groups[group].count += 1
            hours_ago = max(0, now_ms - died_at) // _HOUR_MS
            if hours_ago < HOURS:
                groups[group].per_hour[HOURS - 1 - hours_ago] += 1

    def _add_errors(self, shown: list[Failure]) -> None:
        with self._client.pipeline(transaction=False) as pipe:
            for failure in shown:
                pipe.hget(self._keys.out(failure.newest), "error")
            for failure, text in zip(shown, pipe.execute(raise_on_error=False), strict=True):
                error = read_json(text)
                failure.error = error if isinstance(error, dict) else None
