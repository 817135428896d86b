"""How many commands does one idle worker send to the server?

    python -m benchmarks --only idle

"Sent" counts what arrived from outside while the server's MONITOR listened for ten seconds; "executed" also
counts what scripts called (INFO commandstats over ten other seconds). CPU is what the worker's processes use per second
meanwhile.

Not shown: the cost of a command. One that blocks until something happens costs nothing meanwhile.
"""

import threading
import time
from typing import Any

import redis

from .contestants import ours, peers
from .report import Section, spread
from .stage import Stage, Workers, stage

SETTLE_SECONDS = 3.0
OWN_COMMANDS = {"cmdstat_info", "cmdstat_config|resetstat", "cmdstat_config"}


def measure(rounds: int, quick: bool) -> list[Section]:
    """One round: little varies."""
    del rounds
    seconds = 5 if quick else 10
    found: dict[str, list[dict[str, float]]] = {}
    for one in (ours(), *peers()):
        with stage(one) as there, there.workers() as workers:
            there.warm_up()
            time.sleep(SETTLE_SECONDS)
            found[one.name] = [_look(there, workers, seconds)]
        print(f"  {one.name}: {found[one.name][0]}", flush=True)
    return [
        Section(
            f"Idle worker: commands per second over {seconds} s",
            ["", "sent", "executed", "CPU ms/s"],
            [[name, *_cells(runs)] for name, runs in found.items()],
            found,
        )
    ]


def _cells(runs: list[dict[str, float]]) -> list[str]:
    return [spread([run[what] for run in runs], "{:.1f}") for what in ("sent", "executed", "cpu_ms")]


def _look(there: Stage, workers: Workers, seconds: float) -> dict[str, float]:
    sent = _sent(there, seconds)
    cpu = workers.cpu()
    executed = _executed(there, seconds)
    return {"sent": sent, "executed": executed, "cpu_ms": (workers.cpu() - cpu) / seconds * 1000}


def _sent(there: Stage, seconds: float) -> float:
    """Commands per second that MONITOR shows, without those that scripts call."""
    seen: list[dict[str, Any]] = []
    with there.client.monitor() as monitor:
        listener = threading.Thread(target=_listen, args=(monitor, seen), daemon=True)
        listener.start()
        time.sleep(seconds)
        many = sum(command["client_type"] != "lua" for command in seen)
        there.client.ping()  # ends the listener
        listener.join()
    return many / seconds


def _listen(monitor: Any, seen: list[dict[str, Any]]) -> None:
    while not seen or seen[-1]["command"] != "PING":
        seen.append(monitor.next_command())


def _executed(there: Stage, seconds: float) -> float:
    before = _calls(there.client)
    time.sleep(seconds)
    return (_calls(there.client) - before) / seconds


def _calls(client: redis.Redis) -> int:
    stats: dict[str, Any] = client.info("commandstats")  # type: ignore[assignment]
    return sum(stat["calls"] for name, stat in stats.items() if name not in OWN_COMMANDS)
