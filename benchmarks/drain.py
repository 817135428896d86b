"""How fast are jobs worked off that wait already?

    python -m benchmarks --only drain [--rounds 5] [--peers celery,huey]

Every contestant runs eight jobs at once, in one worker and in two (two commands, as on two machines). Five kinds of
work: nothing at all, a wait of 1 ms and of 20 ms (as for a fast and for a slow answer over the network), some
3 ms of computing, and computing in two workers.

Measured from the first job that starts to the last one, in alternating rounds; "x ours" is the ratio within a round.
Each job adds 16 bytes to a file, and exactly as many must be there in the end as jobs were sent. CPU is what the
workers' processes and the server used per job: it says where a machine with more cores would go, and other programs
disturb it less than the clock. Memory is that of all processes of the workers after the work (PSS).

Not shown: a server on another machine, sending and working at the same time. Huey and Sidekiq take a job out of the
server before they run it: what they had when their process dies is lost.
"""

from dataclasses import dataclass
from typing import Any

from .contestants import SLOTS, Contestant, peers, settings_of_ours
from .report import Section, spread
from .stage import START_SECONDS, Stage, stage

SLOWEST = 20.0  # jobs per second under which a run is given up
MIB = 2**20


@dataclass(frozen=True)
class Work:
    """A kind of job, and how many workers share it.

    Attributes:
        title: in the heading.
        job, argument: see jobs.py.
        workers: commands.
        most: jobs per measurement; None for as many as the contestant's pace says.
    """

    title: str
    job: str
    argument: int
    workers: int = 1
    most: int | None = None


WORKS = [
    Work("no-op jobs", "stamp", 0),
    Work("no-op jobs, two workers", "stamp", 0, workers=2),
    Work("jobs that wait 1 ms", "pause", 1, most=8_000),
    Work("jobs that wait 20 ms", "pause", 20, most=1_500),
    Work("jobs that compute for some 3 ms", "compute", 6_000, most=800),
    Work("jobs that compute for some 3 ms, two workers", "compute", 6_000, workers=2, most=1_200),
]


def measure(rounds: int, quick: bool) -> list[Section]:
    """Run all contestants once per round and kind of work, in another order each time."""
    field = [*settings_of_ours(), *peers()]
    return [_section(work, field, rounds, quick) for work in WORKS]


def _section(work: Work, field: list[Contestant], rounds: int, quick: bool) -> Section:
    found: dict[str, list[dict[str, float]]] = {one.name: [] for one in field}
    for number in range(rounds):
        turn = number % len(field)
        for one in field[turn:] + field[:turn]:
            jobs = min(one.pace * work.workers, work.most or one.pace * work.workers) // (4 if quick else 1)
            with stage(one) as there:
                found[one.name].append(_drain(there, work, jobs))
            print(f"  {work.title}: {one.name}: {found[one.name][-1]['per_second']:,.0f}/s", flush=True)
    return Section(
        f"Drain: {work.title}, {SLOTS} at once, {rounds} rounds",
        ["", "jobs/s: median (range)", "x ours", "worker CPU us/job", "server CPU us/job", "worker MiB"],
        [_row(name, runs, found["ours"]) for name, runs in found.items()],
        found,
        charted="per_second",
    )


def _drain(there: Stage, work: Work, jobs: int) -> dict[str, float]:
    there.produce("fill", work.job, jobs, work.argument)
    with there.workers(work.workers) as workers:
        begin = there.wait(lambda: there.count_stamps() > 0, START_SECONDS, "the start")
        early, worker_cpu, server_cpu = there.count_stamps(), workers.cpu(), there.server_cpu()
        end = there.wait(lambda: there.count_stamps() >= jobs, jobs / SLOWEST + 30, f"draining {jobs} jobs")
        worker_cpu, server_cpu = workers.cpu() - worker_cpu, there.server_cpu() - server_cpu
        memory = workers.memory()
    if there.count_stamps() != jobs:
        raise RuntimeError(f"{there.contestant.name}: {there.count_stamps()} runs of {jobs} jobs")
    return {
        "per_second": (jobs - early) / (end - begin),
        "worker_cpu_us": worker_cpu / (jobs - early) * 1e6,
        "server_cpu_us": server_cpu / (jobs - early) * 1e6,
        "worker_mib": memory / MIB,
    }


def _row(name: str, runs: list[dict[str, Any]], reference: list[dict[str, Any]]) -> list[str]:
    ratios = [run["per_second"] / other["per_second"] for run, other in zip(runs, reference, strict=True)]
    columns = [
        spread([run[what] for run in runs]) for what in ("worker_cpu_us", "server_cpu_us", "worker_mib")
    ]
    return [name, spread([run["per_second"] for run in runs]), spread(ratios, "{:.2f}"), *columns]
