"""Dead jobs, grouped by what made them die.

There is no index of groups that would have to be kept true. The newest `LOOK_LIMIT` dead jobs, as many as retention
keeps, are looked at whenever somebody asks: by the server, a part at a time, and it answers with the groups of that
part. Those that were run again with other arguments are left out: the new job tells whether that helped.
"""

from dataclasses import dataclass, field
from typing import Any

import redis

from ..jobs.states import State
from .connection import translated
from .job_record import fingerprint_of, read_json
from .keys import Keys
from .scripts import Scripts

LOOK_LIMIT = 10_000
MOST_GROUPS = 500
_PART = 500
"""Jobs that are looked at at once: the server does nothing else for some 2 ms."""

HOURS = 24
"""For which deaths are counted hour by hour."""


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
        self._scripts = Scripts(client.execute_command, self._keys.prefix)

    def read(
        self, *, since_ms: int = 0, before_ms: int | None = None, now_ms: int | None = None
    ) -> FailureList:
        """The groups of the newest dead jobs.

        Args:
            since_ms, before_ms: between which of them they died; by default whenever.
            now_ms: replaces the server's clock, for tests.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            with self._client.pipeline(transaction=False) as pipe:
                pipe.time()
                pipe.zcount(self._keys.final(State.DEAD), "-inf", f"({since_ms}")
                pipe.zcount(
                    self._keys.final(State.DEAD), "-inf", "+inf" if before_ms is None else f"({before_ms}"
                )
                (seconds, _), begin, number = pipe.execute()
            now_ms = seconds * 1000 if now_ms is None else now_ms
            groups: dict[str, Failure] = {}
            oldest = max(begin, number - LOOK_LIMIT)
            # From the oldest their places stay as they are while further jobs die.
            for end in range(number, oldest, -_PART):
                first, last = max(oldest, end - _PART), end - 1
                for row in self._scripts.run("group_failures", State.DEAD, first, last, now_ms, HOURS):
                    _add(groups, row)
            shown = list(groups.values())[:MOST_GROUPS]
            self._add_errors(shown)
        return FailureList(shown, number - begin > LOOK_LIMIT or len(groups) > MOST_GROUPS)

    def _add_errors(self, shown: list[Failure]) -> None:
        with self._client.pipeline(transaction=False) as pipe:
            for failure in shown:
                pipe.hget(self._keys.out(failure.newest), "error")
            for failure, text in zip(shown, pipe.execute(raise_on_error=False), strict=True):
                error = read_json(text)
                failure.error = error if isinstance(error, dict) else None


def _add(groups: dict[str, Failure], row: list[Any]) -> None:
    """What the script counted in one part."""
    fingerprint, actor, reason, newest = (text.decode(errors="replace") for text in row[:4])
    last_ms, first_ms, count = row[4:7]
    name = fingerprint_of({"fingerprint": fingerprint, "actor": actor, "reason": reason})
    if name not in groups:
        groups[name] = Failure(name, actor, reason, newest, last_ms=last_ms, first_ms=first_ms)
    group = groups[name]
    group.first_ms = first_ms
    group.count += count
    for hour in row[7].decode().split():
        ago, number = map(int, hour.split(":"))
        group.per_hour[HOURS - 1 - ago] += number
