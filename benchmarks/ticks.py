"""How punctually do the jobs of schedules start, and how late are they when the scheduler that fires is killed?

    python -m benchmarks --only ticks

Lateness is from the nominal instant to the claim of the job by an idle worker with eight threads, both on the server's
clock, in whole milliseconds. Two schedulers run. In the last part the one that leads is killed (SIGKILL) at a random
moment, again and again, and started anew; of the ticks that came within some seconds after a kill the latest
counts. No tick is left out: a part fails when one has no job.

Promised are 100 ms for 99 of 100 ticks, and 5 s after a kill, on a machine that has nothing else to do.

Not shown: a scheduler process on another machine than the server; what happens when workers are busy.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time

from worker_service.jobs.schedule import Definition
from worker_service.store import Queries, Schedules

from .contestants import NAMESPACE, ours
from .environments import ROOT
from .report import Section, percentile
from .stage import START_SECONDS, Stage, stage

FEW, MANY = 20, 300
EACH_SECOND, EVERY_TWO_SECONDS = 1_000, 2_000
SAMPLES = 1_000
"""Ticks that are looked at at least, so that a hundredth of them is ten."""
KILLS = 10
LATE_MS, LATE_AFTER_A_KILL_MS = 100, 5_000
"""What is promised: of 99 in 100, and after a kill."""
AFTER_KILL_SECONDS = 7.0


def measure(rounds: int, quick: bool) -> list[Section]:
    """Two long looks, then kills: two per round, and ten at least (three with ``quick``)."""
    few = _steady(FEW, EACH_SECOND, 200 if quick else SAMPLES)
    many = _steady(MANY, EVERY_TWO_SECONDS, SAMPLES)
    killed = _after_kills(3 if quick else max(2 * rounds, KILLS))
    p99_few, p99_many = percentile(few, 99), percentile(many, 99)
    rows = [
        _row(f"{FEW} schedules, each second", few, p99_few, LATE_MS),
        _row(f"{MANY} schedules of one instant, every 2 s", many, p99_many, LATE_MS),
        _row(f"the latest after each of {len(killed)} kills", killed, max(killed), LATE_AFTER_A_KILL_MS),
    ]
    return [
        Section(
            "Ticks of schedules: nominal instant to start, ms",
            ["", "ticks", "p50", "p99", "max", "promised", "held"],
            rows,
            {"few": few, "many": many, "after a kill": killed},
        )
    ]


def _row(what: str, found: list[float], judged: float, promised: int) -> list[str]:
    shown = [f"{value:,.0f}" for value in (percentile(found, 50), percentile(found, 99), max(found))]
    of = "p99" if promised == LATE_MS else "max"
    return [what, f"{len(found):,}", *shown, f"{of} {promised:,}", "yes" if judged <= promised else "no"]


def _steady(schedules: int, every_ms: int, samples: int) -> list[float]:
    with stage(ours()) as there, there.workers(), _Schedulers(there):
        there.warm_up()
        _put(there, schedules, every_ms)
        _wait_for_ticks(there, schedules)
        begin = _now_ms(there)
        time.sleep((samples / schedules + 2) * every_ms / 1000)
        return _lateness(there, schedules, every_ms, begin, _now_ms(there) - every_ms)


def _after_kills(kills: int) -> list[float]:
    draw = random.Random(kills)
    worst = []
    with stage(ours()) as there, there.workers(), _Schedulers(there) as schedulers:
        there.warm_up()
        _put(there, FEW, EACH_SECOND)
        _wait_for_ticks(there, FEW)
        for _ in range(kills):
            time.sleep(draw.uniform(0.0, 3.0))  # anywhere between two ticks, and between two signs of life
            killed = _now_ms(there)
            schedulers.kill_leader()
            time.sleep(AFTER_KILL_SECONDS)
            until = killed + int(AFTER_KILL_SECONDS * 1000) - EACH_SECOND
            worst.append(max(_lateness(there, FEW, EACH_SECOND, killed, until)))
            print(f"  latest after the kill: {worst[-1]:.0f} ms", flush=True)
            schedulers.start()
    return worst


class _Schedulers:
    """Two of them, ended when the block ends."""

    def __init__(self, there: Stage) -> None:
        self._there = there
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "_Schedulers":
        for _ in range(2):
            self.start()
        return self

    def __exit__(self, *error: object) -> None:
        for each in self._running:
            each.kill()
            each.wait()

    def start(self) -> None:
        """One more."""
        self._running.append(
            subprocess.Popen(
                [sys.executable, "-m", "scheduler"],
                cwd=ROOT,
                env={**self._there.environment, "JOBS_ACTOR_MODULES": "benchmarks.peers.ours"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    def kill_leader(self) -> None:
        """With SIGKILL."""
        leader = Schedules(self._there.client, NAMESPACE).leader() or ""
        victim = next(each for each in self._running if f":{each.pid}:" in leader)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        self._running.remove(victim)


def _put(there: Stage, count: int, every_ms: int) -> None:
    definition = Definition(actor="nothing", every_ms=every_ms, overlap="allow_all")
    schedules = Schedules(there.client, NAMESPACE)
    for number in range(count):
        next_ms = definition.timing().next(_now_ms(there))
        schedules.put(f"s{number}", definition.to_text(), uid=f"s{number}", next_ms=next_ms)


def _wait_for_ticks(there: Stage, count: int) -> None:
    reads = Schedules(there.client, NAMESPACE)
    there.wait(
        lambda: all(reads.history(f"s{number}", 1) for number in range(count)), START_SECONDS, "first ticks"
    )


def _lateness(there: Stage, count: int, every_ms: int, first_ms: int, last_ms: int) -> list[float]:
    """Of the ticks between two instants; fails when one is missing."""
    reads = Queries(there.client, NAMESPACE)
    ids = [
        id.decode() for id in there.client.zrange(reads.keys.jobs, first_ms - 60_000, "+inf", byscore=True)
    ]  # type: ignore[union-attr]
    jobs = [job for at in range(0, len(ids), 500) for job in reads.jobs(ids[at : at + 500], brief=True)]
    names = {f"s{number}" for number in range(count)}  # the built-in schedules may have had a tick, too
    found = [
        float(job.started_at_ms - job.tick_ms)
        for job in jobs
        if job.tick_ms is not None
        and job.started_at_ms is not None
        and first_ms <= job.tick_ms <= last_ms
        and job.schedule in names
    ]
    wanted = count * (last_ms // every_ms - (first_ms - 1) // every_ms)
    if len(found) != wanted:
        raise RuntimeError(f"{len(found)} ticks were fired in place of {wanted}: {json.dumps(found[:5])}")
    return found


def _now_ms(there: Stage) -> int:
    seconds, micros = there.client.time()  # type: ignore[misc]
    return int(seconds) * 1000 + int(micros) // 1000
