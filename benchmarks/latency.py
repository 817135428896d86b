"""How long after send() does a job start, when the worker is idle?

    python -m benchmarks --only latency [--rounds 5]

A sample result (2 shared cores, medians):

                                  samples     p50     p95     p99     max
    stock, pauses of 0.05-0.45 s      300   86.41  273.02  475.52  595.55
    ours, pauses of 0.05-0.45 s      1002    1.84    2.57    4.78    7.69
    stock, pauses of 1-2 s            150  416.81  824.38  880.97  912.68
    ours, pauses of 1-2 s             150    1.84    2.43    6.46    6.60

The clock is read just before send() in one process and on the first line of the job in another; so writing
the job counts. The next job is sent after a random pause, counted from the start of the last one. Two lengths
of pause, because stock Dramatiq looks less often the longer nothing came.

Not shown: a busy worker, a server on another machine, the time an HTTP request takes.
"""

from .contestants import Contestant, ours, stock
from .report import Section, percentile
from .stage import stage

SHORT, LONG = (0.05, 0.45), (1.0, 2.0)
SAMPLES = {("ours", SHORT): 1_000, ("stock", SHORT): 300, ("ours", LONG): 150, ("stock", LONG): 150}


def measure(rounds: int, quick: bool) -> Section:
    """The samples are split over alternating rounds. Where each takes long there are fewer."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for pause in (SHORT, LONG):
            for one in (stock(), ours()):
                values = found.setdefault(f"{one.name}, pauses of {pause[0]:g}-{pause[1]:g} s", [])
                wanted = SAMPLES[one.name, pause] // (5 if quick else 1)
                values += _sample(one, -(-wanted // rounds), pause)
                print(f"  {one.name}: p50 so far {percentile(values, 50):.2f} ms", flush=True)
    return Section(
        f"Idle latency: enqueue to start, ms, {rounds} rounds",
        ["", "samples", "p50", "p95", "p99", "max"],
        [[name, str(len(values)), *_percentiles(values)] for name, values in found.items()],
        {name: [round(value, 3) for value in values] for name, values in found.items()},
    )


def _sample(one: Contestant, samples: int, pause: tuple[float, float]) -> list[float]:
    with stage(one) as there, there.worker():
        there.warm_up()
        there.produce("one_at_a_time", samples, *pause)
        return there.lateness_ms()


def _percentiles(values: list[float]) -> list[str]:
    return [f"{value:.2f}" for value in (*(percentile(values, p) for p in (50, 95, 99)), max(values))]
