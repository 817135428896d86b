"""How fast does one worker process with eight threads work off no-op jobs that wait already?

    python -m benchmarks --only drain [--rounds 5]

A sample result (2 shared cores, medians):

                                    jobs/s  x stock  worker CPU us/job  server CPU us/job
    stock                            2,081     1.00                279                 50
    ours                             6,071     2.95                120                 65
    ours, JOBS_PREFETCH=64          11,614     5.58                 62                 40
    ours, gevent, JOBS_PREFETCH=64  13,431     6.48                 51                 38

Measured from the first job taken to the last one recorded as done, in the same alternating rounds for all;
"x stock" is the ratio within a round. CPU is what the worker's processes and the server used per job: it says
where a machine with more cores would go, and other programs disturb it less than the clock.

Not shown: jobs that do something (the overhead is then a small part), several worker processes, a server on
another machine, sending and working at the same time.
"""

from typing import Any

from .contestants import Contestant, has_gevent, ours, stock
from .report import Section, spread
from .stage import START_SECONDS, Stage, stage

SLOWEST = 200.0  # jobs per second under which a run is given up


def contestants() -> list[Contestant]:
    """Ours claims fairly by default; stock Dramatiq holds 16 jobs for 8 threads, so prefetch is shown too."""
    wanted = [stock(), ours(), ours("ours, JOBS_PREFETCH=64", JOBS_PREFETCH="64")]
    if has_gevent():
        wanted.append(ours("ours, gevent, JOBS_PREFETCH=64", "dramatiq-gevent", JOBS_PREFETCH="64"))
    return wanted


def measure(rounds: int, quick: bool) -> Section:
    """Run all contestants once per round, in another order each time."""
    jobs = 5_000 if quick else 20_000
    field = contestants()
    found: dict[str, list[dict[str, float]]] = {one.name: [] for one in field}
    for number in range(rounds):
        turn = number % len(field)
        for one in field[turn:] + field[:turn]:
            with stage(one) as there:
                found[one.name].append(_drain(there, jobs))
            print(f"  {one.name}: {found[one.name][-1]['per_second']:,.0f}/s", flush=True)
    return Section(
        f"Drain: {jobs:,} no-op jobs, 1 process, 8 threads, {rounds} rounds",
        ["", "jobs/s: median (range)", "x stock", "worker CPU us/job", "server CPU us/job"],
        [_row(name, runs, found["stock"]) for name, runs in found.items()],
        found,
    )


def _drain(there: Stage, jobs: int) -> dict[str, float]:
    one, client = there.contestant, there.client
    there.produce("enqueue", jobs)
    with there.worker() as worker:
        begin = there.wait(lambda: one.waiting(client) < jobs, START_SECONDS, "the start")
        worker_cpu, server_cpu = worker.cpu(), there.server_cpu()
        end = there.wait(lambda: one.unfinished(client, jobs) == 0, jobs / SLOWEST, f"draining {jobs} jobs")
        return {
            "per_second": jobs / (end - begin),
            "worker_cpu_us": (worker.cpu() - worker_cpu) / jobs * 1e6,
            "server_cpu_us": (there.server_cpu() - server_cpu) / jobs * 1e6,
        }


def _row(name: str, runs: list[dict[str, Any]], reference: list[dict[str, Any]]) -> list[str]:
    ratios = [run["per_second"] / other["per_second"] for run, other in zip(runs, reference, strict=True)]
    return [
        name,
        spread([run["per_second"] for run in runs]),
        spread(ratios, "{:.2f}"),
        spread([run["worker_cpu_us"] for run in runs]),
        spread([run["server_cpu_us"] for run in runs]),
    ]
