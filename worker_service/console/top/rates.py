"""How fast things happen just now: told by what the totals of actors have grown by from one reading to the next."""

from collections import Counter, deque
from typing import NamedTuple

from .reading import Reading

COUNTED = {"enqueued": "enqueued", "succeeded": "succeeded", "retried": "to be retried", "dead": "dead"}
"""Counter -> what it is called."""

WINDOW_SECONDS = 60.0


class _Sample(NamedTuple):
    at: float
    counts: Counter[str]


class Rates:
    """Remembers the readings of the last minute.

    A queue is charged with the jobs of the actors that are declared on it: what was sent to another one by name is not
    told apart by any total.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()

    def add(self, reading: Reading) -> None:
        """Take another reading."""
        self._samples.append(_Sample(reading.at, _counts(reading)))
        while len(self._samples) > 2 and self._samples[1].at <= reading.at - WINDOW_SECONDS:
            self._samples.popleft()

    def of(self, name: str) -> float | None:
        """Jobs a minute that were counted so; None before there are two readings."""
        return self._per_minute(f"all:{name}")

    def into(self, queue: str) -> float | None:
        """Jobs a minute that were enqueued."""
        return self._per_minute(f"in:{queue}")

    def out_of(self, queue: str) -> float | None:
        """Jobs a minute that were started."""
        return self._per_minute(f"out:{queue}")

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
        for name in COUNTED:
            counts[f"all:{name}"] += stats[name]
    return counts
