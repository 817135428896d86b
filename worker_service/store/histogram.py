"""Histograms of durations: lua/lib/count.lua counts each under the smallest bound that holds it."""

from collections.abc import Mapping

BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000)
"""Upper bounds; what is longer is counted as ``inf``."""


def in_bounds(counts: Mapping[str, int], name: str) -> list[int]:
    """How many durations are within each bound and above the one before; at last, how many are above all.

    Args:
        counts: of an actor.
        name: ``wait`` or ``run``.
    """
    return [counts.get(f"{name}_le_{bound}", 0) for bound in (*BOUNDS_MS, "inf")]


def mean_ms(counts: Mapping[str, int], name: str) -> int | None:
    """The mean of all durations; None without one."""
    number = sum(in_bounds(counts, name))
    return round(counts.get(f"{name}_ms", 0) / number) if number > 0 else None


def quantile_ms(counts: Mapping[str, int], name: str, part: float) -> int | None:
    """Below what ``part`` of all durations are, as if they were spread evenly between two bounds; None without one.

    What is longer than the last bound counts as that, as in Prometheus' histogram_quantile.
    """
    numbers = in_bounds(counts, name)
    rank = part * sum(numbers)
    below = 0
    for number, lower, upper in zip(numbers, (0, *BOUNDS_MS), BOUNDS_MS, strict=False):
        if number and below + number >= rank:
            return round(lower + (upper - lower) * (rank - below) / number)
        below += number
    return BOUNDS_MS[-1] if numbers[-1] else None
