"""How long after it was sent does a job start, when the worker is idle?

    python -m benchmarks --only latency [--rounds 5]

The clock is read just before sending in one process and on the first line of the job in another; so writing
the job counts. The next job is sent after a random pause of 20 to 120 ms, counted from the start of the last one.

Not shown: a busy worker, a server on another machine, the time an HTTP request takes; longer pauses, after which who
looks at intervals (stock Dramatiq, arq) is later still.
"""

from .contestants import Contestant, ours, peers
from .report import Section, percentile
from .stage import stage

PAUSE = (0.02, 0.12)
SAMPLES, QUICK_SAMPLES = 1_000, 150
SLOW = frozenset({"arq", "stock Dramatiq"})
"""Who looks at intervals: a fifth of the samples takes as long as all of another one's."""


def measure(rounds: int, quick: bool) -> list[Section]:
    """The samples are split over alternating rounds."""
    field = [ours(), *peers()]
    found: dict[str, list[float]] = {one.name: [] for one in field}
    for number in range(rounds):
        turn = number % len(field)
        for one in field[turn:] + field[:turn]:
            wanted = (QUICK_SAMPLES if quick else SAMPLES) // (5 if one.name in SLOW else 1)
            found[one.name] += _sample(one, -(-wanted // rounds))
            print(f"  {one.name}: p50 so far {percentile(found[one.name], 50):.2f} ms", flush=True)
    return [
        Section(
            f"Idle latency: sent to start, ms, {rounds} rounds",
            ["", "samples", "p50", "p95", "p99", "max"],
            [[name, str(len(values)), *_percentiles(values)] for name, values in found.items()],
            {name: [round(value, 3) for value in values] for name, values in found.items()},
        )
    ]


def _sample(one: Contestant, samples: int) -> list[float]:
    with stage(one) as there, there.workers():
        there.warm_up()
        there.produce("one_at_a_time", samples, *PAUSE)
        return there.lateness_ms()


def _percentiles(values: list[float]) -> list[str]:
    return [f"{value:.2f}" for value in (*(percentile(values, p) for p in (50, 95, 99)), max(values))]
