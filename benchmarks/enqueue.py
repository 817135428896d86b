"""How fast does a Python program send jobs one by one, and what does a waiting job cost the server?

    python -m benchmarks --only enqueue [--rounds 5]

A sample result (2 shared cores, medians):

           jobs/s  x stock  producer CPU us/job  server CPU us/job  bytes/waiting job
    stock   3,688     1.00                  177                 71                529
    ours    2,942     0.84                  195                123              1,018

One thread sends jobs with a payload of 100 bytes. Memory is the server's used_memory afterwards minus before,
divided by the number of jobs; it includes the broker's whole record of a job, not its append-only file.

Not shown: several producers at once, many jobs in one call, sending over HTTP.
"""

from .contestants import ours, stock
from .report import Section, spread
from .stage import stage

PAYLOAD = 100


def measure(rounds: int, quick: bool) -> Section:
    """Alternating rounds; no worker runs."""
    jobs = 4_000 if quick else 20_000
    found: dict[str, list[dict[str, float]]] = {"stock": [], "ours": []}
    for _ in range(rounds):
        for one in (stock(), ours()):
            with stage(one) as there:
                before, cpu = there.used_memory(), there.server_cpu()
                run = there.produce("enqueue", jobs, PAYLOAD)
                run["bytes"] = (there.used_memory() - before) / jobs
                run["server_cpu_us"] = (there.server_cpu() - cpu) / jobs * 1e6
            found[one.name].append(run)
            print(f"  {one.name}: {run['per_second']:,.0f}/s", flush=True)
    return Section(
        f"Enqueue: {jobs:,} jobs one by one, {PAYLOAD} bytes of payload, {rounds} rounds",
        [
            "",
            "jobs/s: median (range)",
            "x stock",
            "producer CPU us/job",
            "server CPU us/job",
            "bytes/waiting job",
        ],
        [_row(name, runs, found["stock"]) for name, runs in found.items()],
        found,
    )


def _row(name: str, runs: list[dict[str, float]], reference: list[dict[str, float]]) -> list[str]:
    ratios = [run["per_second"] / other["per_second"] for run, other in zip(runs, reference, strict=True)]
    columns = [spread([run[what] for run in runs]) for what in ("cpu_us", "server_cpu_us", "bytes")]
    return [name, spread([run["per_second"] for run in runs]), spread(ratios, "{:.2f}"), *columns]
