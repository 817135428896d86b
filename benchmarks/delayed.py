"""How punctual are delayed jobs while many others wait, and what do those cost a worker's memory?

    python -m benchmarks --only delayed

A sample result (2 shared cores, medians):

                            due in an hour     started  late p50 ms  p99 ms  max ms  worker MiB  grows by MiB
    ours                           100,000  300 of 300          1.6     2.9     5.1        66.3           0.0
    stock, up to its limit           7,000  300 of 300        726.2  1496.5  1660.2        32.6          10.5
    stock                          100,000    0 of 300            -       -       -        32.6          15.2
    stock, limit raised             20,000  300 of 300        546.6  1074.6  1092.7        36.3          26.4

First many jobs that are due in an hour, sent while a worker runs; then 300 that are due at random instants
two to eight seconds later. Late is: start minus the instant asked for, on one clock. Memory is that of all
the worker's processes (PSS), settled, before and after the many jobs exist.

A worker of stock Dramatiq fetches at most 8,000 delayed jobs (1,000 per thread) and holds them until they are
due, in the order in which they were sent. So it gets 7,000 here to show its punctuality; with more than 8,000
the 300 are not looked at for an hour. The last line raises that limit to show the memory per job.

Not shown: jobs that are due at the same instant, which wait for each other.
"""

import time
from contextlib import suppress
from dataclasses import asdict, dataclass

from .contestants import Contestant, ours, stock
from .report import Section, percentile
from .stage import Stage, stage

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


def measure(rounds: int, quick: bool) -> Section:
    """One run each: a hundred thousand jobs take their time, and 300 samples lie in it."""
    del rounds
    many = 10_000 if quick else 100_000
    field = [
        (ours(), many),
        (stock("stock, up to its limit"), 7_000),
        (stock(), many),
        (stock("stock, limit raised", dramatiq_delay_queue_prefetch="65535"), 20_000),
    ]
    rows, raw = [], {}
    for one, far_jobs in field:
        run = _run(one, far_jobs)
        raw[one.name] = asdict(run)
        rows.append([one.name, f"{far_jobs:,}", *run.cells()])
        print(f"  {' | '.join(rows[-1])}", flush=True)
    return Section(
        f"Delayed: {NEAR_JOBS} jobs due soon behind many due in an hour",
        ["", "due in an hour", "started", "late p50 ms", "p99 ms", "max ms", "worker MiB", "grows by MiB"],
        rows,
        raw,
    )


def _run(one: Contestant, far_jobs: int) -> Run:
    with stage(one) as there, there.worker() as worker:
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
