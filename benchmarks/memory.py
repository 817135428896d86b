"""Does a worker's memory stay as it is while it works?

    python -m benchmarks --only memory

Ours alone, with and without jobs held in advance: the memory of all its processes (PSS) after the first tenth of many
no-op jobs, after half of them, and after the last.

Not shown: what the code of jobs leaves behind; for that see JOBS_WORKER_MAX_MEMORY_MB.
"""

from .contestants import Contestant, settings_of_ours
from .report import Section, spread
from .stage import START_SECONDS, stage

JOBS, SHARES = 200_000, (0.1, 0.5, 1.0)
FEWEST_PER_SECOND = 500.0  # under which a run is given up
MIB = 2**20


def measure(rounds: int, quick: bool) -> list[Section]:
    """One round: little varies."""
    del rounds
    jobs = JOBS // (10 if quick else 1)
    found: dict[str, list[dict[str, float]]] = {}
    for one in settings_of_ours():
        found[one.name] = [_run(one, jobs)]
        print(f"  {one.name}: {found[one.name]}", flush=True)
    names = [f"MiB after {int(jobs * share):,}" for share in SHARES]
    rows = [[name, *(spread([runs[0][each]]) for each in names)] for name, runs in found.items()]
    return [Section(f"Memory: a worker of {jobs:,} no-op jobs", ["", *names], rows, found)]


def _run(one: Contestant, jobs: int) -> dict[str, float]:
    with stage(one) as there:
        there.produce("fill", "stamp", jobs, 0)
        with there.workers() as workers:
            there.wait(lambda: there.count_stamps() > 0, START_SECONDS, "the start")
            memory = {}
            for share in SHARES:
                part = int(jobs * share)
                there.wait(
                    lambda part=part: there.count_stamps() >= part,  # type: ignore[misc]
                    part / FEWEST_PER_SECOND,
                    f"{part} jobs",
                )
                memory[f"MiB after {part:,}"] = workers.memory() / MIB
            return memory
