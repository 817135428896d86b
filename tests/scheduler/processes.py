"""Real ``python -m scheduler`` processes, and the jobs they made."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.waiting import wait_until
from worker_service.store import Queries, Store, connect

HERE = Path(__file__).parent


class Namespace:
    """One namespace on a server, and the schedulers that fire into it."""

    def __init__(self, url: str, namespace: str, folder: Path) -> None:
        self.client = connect(url)
        self.store, self.reads = Store(self.client, namespace), Queries(self.client, namespace)
        self.folder = folder
        self.schedulers: list[Scheduler] = []
        self.environment = {
            "JOBS_REDIS_URL": url,
            "JOBS_NAMESPACE": namespace,
            "JOBS_ACTOR_MODULES": "ticking",
        }

    def scheduler(self, intervals: dict[str, int], **settings: str) -> "Scheduler":
        """Start one."""
        log = self.folder / f"scheduler-{len(self.schedulers)}.log"
        started = Scheduler(log, {**self.environment, "INTERVALS": json.dumps(intervals), **settings})
        self.schedulers.append(started)
        return started

    def ticks(self, actor: str = "beat") -> Counter[int]:
        """Nominal instants of an actor's jobs -> how many jobs each has."""
        ids: list[bytes] = self.client.zrange(self.store.keys.jobs, 0, -1)  # type: ignore[assignment]
        jobs = [job for id in ids if (job := self.reads.job(id.decode()))]
        return Counter(job.due_at_ms for job in jobs if job.actor == actor and job.due_at_ms is not None)

    def wait_for_tick(self, instant_ms: int, actor: str = "beat", timeout: float = 20) -> None:
        """Until a job of this tick, or a later one, is there."""
        wait_until(
            lambda: max(self.ticks(actor), default=0) >= instant_ms, timeout, f"no tick at {instant_ms}"
        )

    def close(self) -> None:
        for each in self.schedulers:
            each.main.kill()
            each.main.wait()
        self.client.close()


class Scheduler:
    """A running ``python -m scheduler``."""

    def __init__(self, log: Path, settings: dict[str, str]) -> None:
        self.log = log
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "REDIS_"))
        }
        with log.open("wb") as output:
            self.main = subprocess.Popen(
                [sys.executable, "-m", "scheduler"],
                cwd=HERE,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**inherited, **settings},
            )

    def output(self) -> str:
        """What it has said so far."""
        return self.log.read_text()

    def wait_until_it_says(self, text: str) -> None:
        wait_until(
            lambda: text in self.output() or self.main.poll() is not None,
            20,
            f"{text!r} is not in {self.log}",
        )
        assert text in self.output(), self.output()

    def send(self, number: int) -> None:
        os.kill(self.main.pid, number)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Tell it to end; returns the exit code, and how many seconds it took."""
        begin = time.monotonic()
        self.send(number)
        return self.main.wait(20), time.monotonic() - begin


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def every_tick(found: Counter[int], every_ms: int) -> Counter[int]:
    """What there should be between the first and the last tick found: each once."""
    return Counter(range(min(found), max(found) + 1, every_ms))
