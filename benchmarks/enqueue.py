"""How fast does a program send jobs, and what does a waiting job cost the server?

    python -m benchmarks --only enqueue [--rounds 5]

One thread sends jobs with a payload of 100 bytes: one by one, and many that are all there already, in the fastest
way that is documented (see `peers/`). Memory is the server's used_memory afterwards minus before, divided by
the number of jobs; it includes the whole record of a job, not the append-only file.

Not shown: several producers at once, sending over HTTP.
"""

from .contestants import Contestant, ours, peers
from .report import Section, spread
from .stage import stage

PAYLOAD = 100


def measure(rounds: int, quick: bool) -> list[Section]:
    """Alternating rounds; no worker runs."""
    jobs = 4_000 if quick else 20_000
    field = [ours(), *peers()]
    found: dict[str, list[dict[str, float]]] = {one.name: [] for one in field}
    for number in range(rounds):
        turn = number % len(field)
        for one in field[turn:] + field[:turn]:
            found[one.name].append(_run(one, jobs))
            print(f"  {one.name}: {found[one.name][-1]}", flush=True)
    what = ["one by one/s", "producer CPU us/job", "server CPU us/job", "in bulk/s", "bytes/waiting job"]
    return [
        Section(
            f"Enqueue: {jobs:,} jobs, {PAYLOAD} bytes of payload, {rounds} rounds",
            ["", *what],
            [[name, *_cells(runs)] for name, runs in found.items()],
            found,
        )
    ]


def _run(one: Contestant, jobs: int) -> dict[str, float]:
    with stage(one) as there:
        before, cpu = there.used_memory(), there.server_cpu()
        run = there.produce("one_by_one", jobs, PAYLOAD)
        run["bytes"] = (there.used_memory() - before) / jobs
        run["server_cpu_us"] = (there.server_cpu() - cpu) / jobs * 1e6
    with stage(one) as there:
        run["in_bulk"] = there.produce("in_bulk", jobs, PAYLOAD)["per_second"]
    return run


def _cells(runs: list[dict[str, float]]) -> list[str]:
    names = ("per_second", "cpu_us", "server_cpu_us", "in_bulk", "bytes")
    return [spread([run[name] for run in runs]) for name in names]
