"""What do queues and priorities cost, and how soon does an urgent job run on a busy worker?

    python -m benchmarks --only mixed

Ours alone. First no-op jobs that wait in one queue with one priority, and as many over four queues with three
priorities, in alternating rounds. Then a worker that is busy with jobs of 5 ms, of which thousands wait, gets one with
a higher priority now and then: the time from sending it to its start.

Not shown: other systems. Stock Dramatiq and Celery order only what a worker has taken already, RQ and Sidekiq order
queues, arq and taskiq have no priorities.
"""

from .contestants import Contestant, ours, with_prefetch
from .report import Section, percentile, spread
from .stage import START_SECONDS, stage

QUEUES = {"fill": "default", "spread": "default second third fourth"}
JOBS, BUSY_JOBS, URGENT = 20_000, 30_000, 200
PAUSE = (0.02, 0.08)
FILLED_PER_SECOND = 500.0  # under which a run is given up


def measure(rounds: int, quick: bool) -> list[Section]:
    """Alternating rounds; the urgent jobs are split over them."""
    divided_by = 5 if quick else 1
    rates: dict[str, list[float]] = {"one queue, one priority": [], "four queues, three priorities": []}
    late: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, task in zip(rates, ("fill", "spread"), strict=True):
            rates[name].append(_rate(ours(BENCH_QUEUES=QUEUES[task]), task, JOBS // divided_by))
            print(f"  {name}: {rates[name][-1]:,.0f}/s", flush=True)
        for one in (ours(), with_prefetch()):
            late.setdefault(one.name, []).extend(_urgent(one, URGENT // divided_by))
            print(f"  {one.name}: p50 so far {percentile(late[one.name], 50):.1f} ms", flush=True)
    single = rates["one queue, one priority"]
    return [
        Section(
            f"Mixed: {JOBS // divided_by:,} no-op jobs, {rounds} rounds",
            ["", "jobs/s: median (range)", "x one queue"],
            [
                [name, spread(found), spread([a / b for a, b in zip(found, single, strict=True)], "{:.2f}")]
                for name, found in rates.items()
            ],
            rates,
        ),
        Section(
            "Urgent: sent to start on a worker that is busy with jobs of 5 ms, ms",
            ["", "samples", "p50", "p99", "max"],
            [
                [name, str(len(found)), *(f"{value:.1f}" for value in _percentiles(found))]
                for name, found in late.items()
            ],
            late,
        ),
    ]


def _percentiles(values: list[float]) -> tuple[float, float, float]:
    return percentile(values, 50), percentile(values, 99), max(values)


def _rate(one: Contestant, task: str, jobs: int) -> float:
    with stage(one) as there:
        there.produce(task, "stamp", jobs, 0)
        with there.workers():
            begin = there.wait(lambda: there.count_stamps() > 0, START_SECONDS, "the start")
            early = there.count_stamps()
            end = there.wait(lambda: there.count_stamps() >= jobs, jobs / FILLED_PER_SECOND, f"{jobs} jobs")
            return (jobs - early) / (end - begin)


def _urgent(one: Contestant, count: int) -> list[float]:
    with stage(one) as there:
        there.produce("fill", "pause", BUSY_JOBS, 5)
        with there.workers():
            there.wait(lambda: there.count_stamps() > 100, START_SECONDS, "the first jobs")
            there.produce("urgent", count, *PAUSE)
            return [(started - wanted) / 1e6 for wanted, started in there.stamps_of_jobs() if wanted]
