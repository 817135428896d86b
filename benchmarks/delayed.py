"""How punctual are delayed jobs while many others wait, and what do those cost a worker's memory?

    python -m benchmarks --only delayed

First many jobs that are due in an hour, sent while a worker runs; then 300 that are due at random instants
two to eight seconds later. Late is: start minus the instant asked for, on one clock. Memory is that of all
the worker's processes (PSS), settled, before and after the many jobs exist.

A worker of stock Dramatiq fetches at most 8,000 delayed jobs (1,000 per thread) and holds them until they are
due, in the order in which they were sent; with more than that the 300 are not looked at for an hour. So it gets 7,000
in one line, and in the last one a raised limit. Fewer jobs stand where sending them takes longer.

Not shown: jobs that are due at the same instant, which wait for each other. RQ needs a process more for it, and taskiq
a schedule source and one; they are left out.
"""

import time
from contextlib import suppress
from dataclasses import asdict, dataclass

from .contestants import Contestant, ours, peers, stock
from .report import Section, percentile
from .stage import Stage, stage

MOST, MANY, FEWER = 1_000_000, 100_000, 20_000
QUICK_SENDERS = ("BullMQ", "Sidekiq", "stock Dramatiq")
NEAR_JOBS, FIRST_SECONDS, LAST_SECONDS = 300, 2.0, 8.0
LATE_SECONDS = 10.0
SETTLE_SECONDS = 10.0


@dataclass(frozen=True)
class Run:
    """One contestant's answer: bytes held without and with the many jobs, and how late the others started."""

    memory_before: int
    memory_after: int
    late_ms: list[float]

    def cells(self) -> list[str]:
        late = self.late_ms
        punctual = [percentile(late, 50), percentile(late, 99), max(late)] if late else []
        memory = [self.memory_before / 2**20, (self.memory_after - self.memory_before) / 2**20]
        texts = [f"{value:.1f}" for value in punctual] or ["-"] * 3
        return [f"{len(late)} of {NEAR_JOBS}", *texts, *(f"{value:.1f}" for value in memory)]


def measure(rounds: int, quick: bool) -> list[Section]:
    """One run each: the many jobs take their time, and 300 samples lie in it."""
    del rounds
    rows, raw = [], {}
    for one, far_jobs in _field(10 if quick else 1):
        run = _run(one, far_jobs)
        raw[f"{one.name}, {far_jobs}"] = asdict(run)
        rows.append([one.name, f"{far_jobs:,}", *run.cells()])
        print(f"  {' | '.join(rows[-1])}", flush=True)
    return [
        Section(
            f"Delayed: {NEAR_JOBS} jobs due soon behind many due in an hour",
            [
                "",
                "due in an hour",
                "started",
                "late p50 ms",
                "p99 ms",
                "max ms",
                "worker MiB",
                "grows by MiB",
            ],
            rows,
            raw,
        )
    ]


def _field(divided_by: int) -> list[tuple[Contestant, int]]:
    others = [(one, MANY if one.name in QUICK_SENDERS else FEWER) for one in peers("delayed")]
    wanted = [(ours(), MOST), (ours(), MANY), *others]
    if any(one.name == "stock Dramatiq" for one, _ in others):
        wanted += [
            (stock("stock Dramatiq, up to its limit"), 7_000),
            (stock("stock Dramatiq, limit raised", dramatiq_delay_queue_prefetch="65535"), FEWER),
        ]
    return [(one, jobs // divided_by) for one, jobs in wanted]


def _run(one: Contestant, far_jobs: int) -> Run:
    with stage(one) as there, there.workers() as worker:
        there.warm_up()
        time.sleep(SETTLE_SECONDS)
        before = worker.memory()
        there.produce("far", far_jobs)
        time.sleep(SETTLE_SECONDS)  # a worker that fetches them all needs a moment
        return Run(before, worker.memory(), _lateness(there))


def _lateness(there: Stage) -> list[float]:
    there.produce("near", NEAR_JOBS, FIRST_SECONDS, LAST_SECONDS)
    with suppress(TimeoutError):  # then the table shows how many started
        there.wait(lambda: there.count_stamps() >= NEAR_JOBS, LAST_SECONDS + LATE_SECONDS, "the delayed jobs")
    return there.lateness_ms()
