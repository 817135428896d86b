"""How many commands does one idle worker process send to the server?

    python -m benchmarks --only idle

A sample result (2 shared cores, medians):

           sent  executed
    stock   2.7       8.5
    ours    1.1       3.8

"Sent" counts what arrived from outside while the server's MONITOR listened for ten seconds; "executed" also
counts what scripts called (INFO commandstats over ten other seconds).

Not shown: the cost of a command. One that blocks until something happens costs nothing meanwhile.
"""

import threading
import time
from typing import Any

import redis

from .contestants import ours, stock
from .report import Section, spread
from .stage import Stage, stage

SETTLE_SECONDS = 3.0
OWN_COMMANDS = {"cmdstat_info", "cmdstat_config|resetstat", "cmdstat_config"}


def measure(rounds: int, quick: bool) -> Section:
    """Two windows per contestant and round; two rounds are enough, because little varies."""
    seconds = 5 if quick else 10
    found: dict[str, list[dict[str, float]]] = {"stock": [], "ours": []}
    for _ in range(min(rounds, 2)):
        for one in (stock(), ours()):
            with stage(one) as there, there.worker():
                there.warm_up()
                time.sleep(SETTLE_SECONDS)
                found[one.name].append({"sent": _sent(there, seconds), "executed": _executed(there, seconds)})
    return Section(
        f"Idle worker process: commands per second over {seconds} s",
        ["", "sent", "executed"],
        [
            [name, *(spread([run[what] for run in runs], "{:.1f}") for what in ("sent", "executed"))]
            for name, runs in found.items()
        ],
        found,
    )


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
