"""What was counted when: per minute, per ten minutes and per hour, for charts and reports.

Scripts count per actor and minute (lua/lib/count.lua). Once a minute one of the keepers sums that up: to the longer
spans, and over all actors. So a chart reads as many keys as it has points, and what is kept has a bound.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import redis

from .connection import translated
from .job_record import text_of
from .keys import Keys
from .scripts import Scripts

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

MINUTES_KEPT_MS = 6 * HOUR_MS
"""Those of lua/lib/count.lua; the sums over all actors live as long."""
REACH_MINUTES = 5 * 60
"""How far back sums are made up for while no process made any: less than minutes live."""

AT_ONCE = 100
"""Sums in one round trip; the server does nothing else meanwhile, for some milliseconds."""

ALL = ""
"""In place of an actor: all of them together."""


class Span(Enum):
    """How long, in minutes, and how long the sum over it is kept."""

    MINUTE = ("minute", 1, MINUTES_KEPT_MS)
    TEN = ("ten", 10, 80 * HOUR_MS)
    HOUR = ("hour", 60, 35 * DAY_MS)

    def __init__(self, word: str, minutes: int, kept_ms: int) -> None:
        self.word = word
        self.minutes = minutes
        self.kept_ms = kept_ms

    @property
    def ms(self) -> int:
        return self.minutes * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Point:
    """What was counted in one span.

    Attributes:
        at_ms: when it begins.
        counts: by the names of lua/lib/count.lua; empty when nothing was.
    """

    at_ms: int
    counts: dict[str, int]


class Rates:
    """The counters of one namespace over time.

    Args:
        client: see `connect`.
        keys: of the namespace.
    """

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._scripts = Scripts(client.execute_command, keys.prefix)
        self._counted = keys.counted
        self._keys: dict[Span, Callable[[str, int], str]] = {
            Span.MINUTE: keys.minute,
            Span.TEN: keys.ten,
            Span.HOUR: keys.hour,
        }

    def roll_up(self, *, now_ms: int | None = None) -> bool:
        """Sum up what was counted lately, unless another process has in this minute.

        Returns:
            Whether it was done here.

        Raises:
            StoreUnavailable: Redis is away; the next minute makes up for it.
        """
        told = self._scripts.run(
            "begin_roll_up",
            "" if now_ms is None else now_ms,
            REACH_MINUTES,
            Span.HOUR.kept_ms // MINUTE_MS,
        )
        if not told:
            return False
        first, last, names = told
        calls = list(_sums(first, last, [name.decode() for name in names]))
        for begin in range(0, len(calls), AT_ONCE):
            for reply in self._scripts.run_all(self._client, "roll_up", calls[begin : begin + AT_ONCE]):
                if isinstance(reply, Exception):
                    raise reply
        return True

    def series(self, actor: str, span: Span, number: int, *, now_ms: int | None = None) -> list[Point]:
        """What was counted in each of the last spans, the oldest first, in two round trips.

        Args:
            actor: its name, or `ALL`.
            number: of spans; the last one is the one that is not over yet, a minute behind at most.

        Raises:
            StoreUnavailable: Redis is away.
        """
        with translated():
            if now_ms is None:
                seconds, micros = self._client.time()
                now_ms = seconds * 1000 + micros // 1000
            last = now_ms // span.ms
            spans = range(last - number + 1, last + 1)
            with self._client.pipeline(transaction=False) as pipe:
                for each in spans:
                    pipe.hgetall(self._keys[span](actor, each))
                found = pipe.execute()
        return [Point(each * span.ms, _numbers(fields)) for each, fields in zip(spans, found, strict=True)]

    def lately(self, actors: Iterable[str]) -> dict[str, dict[str, int]]:
        """Actor -> what was counted in the last ten to twenty minutes, in two round trips; a minute behind at most.

        Raises:
            StoreUnavailable: Redis is away.
        """
        names = list(actors)
        with translated():
            seconds, _ = self._client.time()
            ten = seconds * 1000 // Span.TEN.ms
            with self._client.pipeline(transaction=False) as pipe:
                for actor in names:
                    pipe.hgetall(self._keys[Span.TEN](actor, ten - 1))
                    pipe.hgetall(self._keys[Span.TEN](actor, ten))
                found = [Counter(_numbers(fields)) for fields in pipe.execute()]
        return {
            actor: dict(before + now)
            for actor, before, now in zip(names, found[::2], found[1::2], strict=True)
        }

    def of_hours(self, first_hour: int, hours: int) -> dict[str, list[Point]]:
        """Actor -> what was counted in each of these hours since 1970, of all actors that counted anything lately.

        Raises:
            StoreUnavailable: Redis is away.
        """
        found: dict[str, list[Point]] = {}
        with translated():
            listed: Any = self._client.zrange(self._counted, 0, -1)
            for actor in sorted(name.decode(errors="replace") for name in listed):
                with self._client.pipeline(transaction=False) as pipe:
                    for hour in range(first_hour, first_hour + hours):
                        pipe.hgetall(self._keys[Span.HOUR](actor, hour))
                    found[actor] = [
                        Point(hour * HOUR_MS, _numbers(fields))
                        for hour, fields in enumerate(pipe.execute(), first_hour)
                    ]
        return found


def _sums(first: int, last: int, actors: list[str]) -> Iterator[tuple[str | int, ...]]:
    """Arguments of lua/roll_up.lua for all spans that hold one of these minutes; each after those it is made of."""

    if not actors:
        return

    def numbers(span: Span) -> range:
        return range(first // span.minutes, last // span.minutes + 1)

    for minute in numbers(Span.MINUTE):
        yield ("", Span.MINUTE.word, minute, Span.MINUTE.kept_ms, ALL, *actors)
    for span in (Span.TEN, Span.HOUR):
        for actor in (*actors, ALL):
            for number in numbers(span):
                of = actors if actor == ALL else ()
                yield ("", span.word, number, span.kept_ms, actor, *of)


def _numbers(fields: dict[bytes, bytes]) -> dict[str, int]:
    return {name: int(value) for name, value in text_of(fields).items() if value.isdigit()}
