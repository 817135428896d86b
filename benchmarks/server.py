"""How much of the server does a job cost, and so how many jobs a second can one server carry at most?

    python -m benchmarks --only server

The scripts of submit, claim and finish, sent by one connection that does nothing else, with as many jobs in a call as
programs and workers send: 1 and 250 are submitted, 1 (a worker with a thread or two), 8 and 64 claimed and finished.
CPU is that of the server process, its append-only file included. The whole life of a job is a line of each kind.

Not shown: what dashboards read, replicas, a server whose memory is nearly full.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from worker_service.jobs.ids import new_job_id
from worker_service.store import NewJob, Outcome, Store

from .contestants import NAMESPACE, ours
from .report import Section, spread
from .stage import Stage, stage

SESSION, LEASE_MS = "bench", 3_600_000
SUBMITTED, TOGETHER = (1, 250), (1, 8, 64)


@dataclass
class Cost:
    """What some calls cost: CPU of the server and time, per job, in microseconds."""

    cpu_us: float
    wall_us: float


def measure(rounds: int, quick: bool) -> list[Section]:
    """Each kind of call alone, on a new server for each round."""
    jobs = 4_000 if quick else 20_000
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for name, cost in _costs(jobs).items():
            found.setdefault(name, []).append(vars(cost))
            print(f"  {name}: {cost}", flush=True)
    return [
        Section(
            f"Server: {jobs:,} jobs of each kind of call, {rounds} rounds",
            ["in one call", "server CPU us/job", "time us/job", "jobs/s of a server's core"],
            [_row(name, runs) for name, runs in found.items()],
            found,
        )
    ]


def _row(name: str, runs: list[dict[str, float]]) -> list[str]:
    cpu = [run["cpu_us"] for run in runs]
    wall = [run["wall_us"] for run in runs]
    return [name, spread(cpu, "{:.1f}"), spread(wall, "{:.1f}"), spread([1e6 / each for each in cpu])]


def _costs(jobs: int) -> dict[str, Cost]:
    found = {}
    with stage(ours()) as there:
        store = Store(there.client, NAMESPACE).for_one_thread()
        store.open_session(SESSION, LEASE_MS, {})
        numbers = count()
        for many in SUBMITTED:
            found[f"submit {many}"] = _cost(there, jobs, many, lambda some: store.submit(_jobs(some)))
        for many in TOGETHER:
            store.submit(_jobs(1))
            claimed: list[Outcome] = []
            found[f"claim {many}"] = _cost(there, jobs // 3, many, _claiming(store, numbers, claimed))
            ends = iter([claimed[at : at + many] for at in range(0, len(claimed), many)])
            found[f"finish {many}"] = _cost(
                there, jobs // 3, many, lambda _, ends=ends: store.finish(next(ends))
            )
    return found


def _claiming(store: Store, numbers: Iterator[int], claimed: list[Outcome]) -> Callable[[int], None]:
    def claim(many: int) -> None:
        jobs = store.claim(SESSION, str(next(numbers)), many, ["default"]).jobs
        claimed.extend(Outcome(job.id, job.token, "complete") for job in jobs)

    return claim


def _cost(there: Stage, jobs: int, many: int, call: Callable[[int], object]) -> Cost:
    calls = jobs // many
    cpu, begin = there.server_cpu(), time.perf_counter()
    for _ in range(calls):
        call(many)
    wall = time.perf_counter() - begin
    return Cost((there.server_cpu() - cpu) / (calls * many) * 1e6, wall / (calls * many) * 1e6)


def _jobs(many: int) -> Sequence[NewJob]:
    """As those of a program that sends 100 bytes."""
    return [NewJob(new_job_id(), "default", "nothing", MESSAGE) for _ in range(many)]


def _message() -> bytes:
    fields = {
        "queue_name": "default",
        "actor_name": "nothing",
        "args": [],
        "kwargs": {"payload": "x" * 100},
        "options": {},
        "message_timestamp": 1_800_000_000_000,
    }
    return json.dumps(fields, separators=(",", ":")).encode()


MESSAGE = _message()
