"""How fast things happen: told by what the totals of actors have grown by from one reading to the next."""

from collections import Counter, deque
from typing import NamedTuple

from .reading import Reading

OUTCOMES = {"succeeded": "succeeded", "retried": "to be retried", "dead": "dead", "cancelled": "cancelled"}
"""Counter of an actor -> what it is called."""

WINDOW_SECONDS = 60.0
BUCKET_SECONDS = 10
BUCKETS = 30
"""Of a sparkline: five minutes."""


class _Sample(NamedTuple):
    at: float
    counts: Counter[str]


class Rates:
    """Remembers the readings of the last minutes.

    A queue is charged with the jobs of the actors that are declared on it: what was sent to another one by name is not
    told apart by any total.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()
        self._buckets: dict[int, Counter[str]] = {}

    def add(self, reading: Reading) -> None:
        """Take another reading."""
        sample = _Sample(reading.at, _counts(reading))
        if self._samples:
            bucket = self._buckets.setdefault(int(reading.at // BUCKET_SECONDS), Counter())
            bucket.update(_growth(self._samples[-1].counts, sample.counts))
        self._samples.append(sample)
        while len(self._samples) > 2 and self._samples[1].at <= reading.at - WINDOW_SECONDS:
            self._samples.popleft()
        oldest = int(reading.at // BUCKET_SECONDS) - BUCKETS
        self._buckets = {number: counts for number, counts in self._buckets.items() if number > oldest}

    def outcome(self, name: str) -> float | None:
        """Jobs a minute that ended so; None before there are two readings."""
        return self._per_minute(f"outcome:{name}")

    def into(self, queue: str) -> float | None:
        """Jobs a minute that were enqueued."""
        return self._per_minute(f"in:{queue}")

    def out_of(self, queue: str) -> float | None:
        """Jobs a minute that were started."""
        return self._per_minute(f"out:{queue}")

    def minutes(self, name: str) -> list[int]:
        """How many jobs ended so in each `BUCKET_SECONDS`, the newest last, which is not over yet."""
        newest = int(self._samples[-1].at // BUCKET_SECONDS) if self._samples else 0
        numbers = range(newest - BUCKETS + 1, newest + 1)
        return [self._buckets.get(number, Counter())[f"outcome:{name}"] for number in numbers]

    def _per_minute(self, name: str) -> float | None:
        if len(self._samples) < 2:
            return None
        first, last = self._samples[0], self._samples[-1]
        if name not in last.counts:
            return None  # of a queue that no known actor is declared on
        return max(0, last.counts[name] - first.counts[name]) * 60 / max(last.at - first.at, 0.001)


def _counts(reading: Reading) -> Counter[str]:
    counts: Counter[str] = Counter()
    for actor in reading.actors:
        stats, queue = actor["stats"], actor["queue"]
        counts[f"in:{queue}"] += stats["enqueued"]
        counts[f"out:{queue}"] += stats["started"]
        for name in OUTCOMES:
            counts[f"outcome:{name}"] += stats[name]
    return counts


def _growth(before: Counter[str], now: Counter[str]) -> dict[str, int]:
    return {name: max(0, count - before[name]) for name, count in now.items()}
