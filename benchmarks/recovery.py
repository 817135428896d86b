"""How soon does the job of a killed worker run again?

    python -m benchmarks --only recovery

Two workers run. A job notes the process that runs it, and works on; then either that process is killed (SIGKILL), or
all processes of its worker at once, as when a machine is lost. Counted is the time from the kill until the job starts
once more, wherever that is; all contestants are waited for at the same time, up to the limit, each with its defaults.

Not shown: shorter time-outs that some can be given, at the price of running long jobs twice.
"""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from .contestants import Contestant, ours, peers
from .report import Section, spread
from .stage import START_SECONDS, Stage, Workers, stage

LIMIT_SECONDS, QUICK_SECONDS = 90.0, 30.0
SETTLE_SECONDS = 6.0
KILLS = ("its process", "its whole worker")


def measure(rounds: int, quick: bool) -> list[Section]:
    """Two rounds at most: who takes part in this mostly waits."""
    limit = QUICK_SECONDS if quick else LIMIT_SECONDS
    field = [ours(), *peers()]
    found: dict[str, dict[str, list[float]]] = {one.name: {kill: [] for kill in KILLS} for one in field}
    for _ in range(min(rounds, 2)):
        for kill in KILLS:
            with ThreadPoolExecutor(len(field)) as together:
                seconds = together.map(lambda one, kill=kill: _recover(one, kill, limit), field)
                for one, took in zip(field, seconds, strict=True):
                    found[one.name][kill].append(took)
                    print(f"  {one.name}, killed {kill}: {took:.1f} s", flush=True)
    return [
        Section(
            "Recovery: from SIGKILL until the job starts again, seconds",
            ["killed:", *KILLS],
            [[name, *(_cell(values, limit) for values in runs.values())] for name, runs in found.items()],
            found,
        )
    ]


def _recover(one: Contestant, kill: str, limit: float) -> float:
    with stage(one) as there, there.workers(2) as workers:
        there.warm_up()
        time.sleep(SETTLE_SECONDS)  # until the second worker is there too
        there.produce("fill", "hold", 1, 600_000)
        there.wait(lambda: there.count_stamps() > 0, START_SECONDS, "the job")
        began_in, _ = there.stamps_of_jobs()[0]
        _kill(workers, began_in, kill)
        return _until_it_runs_again(there, limit)


def _kill(workers: Workers, pid: int, what: str) -> None:
    doomed = [pid]
    if what == KILLS[1]:
        session = workers.session_of(pid)
        doomed = [each for each in workers.pids() if workers.session_of(each) == session]
    for each in doomed:
        os.kill(each, signal.SIGKILL)


def _until_it_runs_again(there: Stage, limit: float) -> float:
    begin = time.monotonic()
    while there.count_stamps() < 2 and time.monotonic() < begin + limit:
        time.sleep(0.05)
    return time.monotonic() - begin


def _cell(values: list[float], limit: float) -> str:
    if min(values) >= limit:
        return f"not within {limit:.0f}"
    return spread(values, "{:.1f}")
