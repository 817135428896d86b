"""How punctually do the jobs of schedules start, and how late are they when the scheduler that fires is killed?

    python -m benchmarks --only ticks

A sample result (2 shared cores, --quick --rounds 2):

                                     ticks   p50   p99   max
    20 schedules, each second          180    11    20    21
    the latest after each of 2 kills     2  1379        2248

Lateness is from the nominal instant to the claim of the job by an idle worker, both on the server's clock, in whole
milliseconds. Two schedulers run; in the second part the one that leads is killed (SIGKILL) and the ticks of the next
seconds are looked at: the latest is the one that came first after the kill.

Not shown: a scheduler process on another machine than the server, hundreds of ticks in one instant.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from worker_service.jobs.schedule import Definition
from worker_service.store import Queries, Schedules

from .contestants import NAMESPACE, ROOT, ours
from .report import Section, percentile
from .stage import START_SECONDS, Stage, stage

SCHEDULES = 20
EVERY_MS = 1_000
AFTER_KILL_SECONDS = 8.0


def measure(rounds: int, quick: bool) -> Section:
    """One long look at two schedulers, then one kill per round."""
    seconds = 10 if quick else 60
    with stage(ours()) as there, there.worker(), _schedulers(there):
        there.warm_up()
        _put(there)
        _wait_for_ticks(there, START_SECONDS)
        begin = _now_ms(there)
        time.sleep(seconds)
        steady = _lateness(there, begin, _now_ms(there) - EVERY_MS)
    killed = [_worst_after_a_kill() for _ in range(min(rounds, 2) if quick else max(rounds, 3))]
    rows = [
        [
            f"{SCHEDULES} schedules, each second",
            str(len(steady)),
            *(f"{percentile(steady, p):.0f}" for p in (50, 99)),
            f"{max(steady):.0f}",
        ],
        [
            f"the latest after each of {len(killed)} kills",
            str(len(killed)),
            f"{percentile(killed, 50):.0f}",
            "",
            f"{max(killed):.0f}",
        ],
    ]
    return Section(
        "Ticks of schedules: nominal instant to start, ms",
        ["", "ticks", "p50", "p99", "max"],
        rows,
        {"steady": steady, "after a kill": killed},
    )


def _worst_after_a_kill() -> float:
    with stage(ours()) as there, there.worker(), _schedulers(there) as processes:
        there.warm_up()
        _put(there)
        _wait_for_ticks(there, START_SECONDS)
        leader = Schedules(there.client, NAMESPACE).leader() or ""
        victim = next(each for each in processes if f":{each.pid}:" in leader)
        killed = _now_ms(there)
        os.kill(victim.pid, signal.SIGKILL)
        time.sleep(AFTER_KILL_SECONDS)
        worst = max(_lateness(there, killed, killed + int(AFTER_KILL_SECONDS * 1000) - EVERY_MS))
        print(f"  latest after the kill: {worst:.0f} ms", flush=True)
        return worst


@contextmanager
def _schedulers(there: Stage) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Two of them, ended when the block ends."""
    environment = {**there.environment, "JOBS_ACTOR_MODULES": "benchmarks.actors_ours"}
    command = [sys.executable, "-m", "scheduler"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen(command, cwd=ROOT, env=environment, **quiet) for _ in range(2)]
    try:
        yield started
    finally:
        for each in started:
            each.kill()
            each.wait()


def _put(there: Stage) -> None:
    definition = Definition(actor="nothing", every_ms=EVERY_MS, overlap="allow_all")
    schedules = Schedules(there.client, NAMESPACE)
    for number in range(SCHEDULES):
        next_ms = definition.timing().next(_now_ms(there))
        schedules.put(f"s{number}", definition.to_text(), uid=f"s{number}", next_ms=next_ms)


def _wait_for_ticks(there: Stage, seconds: float) -> None:
    reads = Schedules(there.client, NAMESPACE)
    there.wait(lambda: all(reads.history(f"s{n}", 1) for n in range(SCHEDULES)), seconds, "the first ticks")


def _lateness(there: Stage, first_ms: int, last_ms: int) -> list[float]:
    """Of the ticks between two instants; fails when one is missing."""
    reads = Queries(there.client, NAMESPACE)
    ids = [id.decode() for id in there.client.zrange(reads.keys.jobs, 0, -1)]  # type: ignore[union-attr]
    jobs = [job for at in range(0, len(ids), 500) for job in reads.jobs(ids[at : at + 500], brief=True)]
    found = [
        float(job.started_at_ms - job.tick_ms)
        for job in jobs
        if job.tick_ms is not None and job.started_at_ms is not None and first_ms <= job.tick_ms <= last_ms
    ]
    wanted = SCHEDULES * sum(tick % EVERY_MS == 0 for tick in range(first_ms, last_ms + 1))
    if len(found) != wanted:
        raise RuntimeError(f"{len(found)} ticks were fired in place of {wanted}: {json.dumps(found[:5])}")
    return found


def _now_ms(there: Stage) -> int:
    seconds, micros = there.client.time()  # type: ignore[misc]
    return int(seconds) * 1000 + int(micros) // 1000
