"""Real ``python -m scheduler`` processes, and the jobs they made."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.waiting import wait_until
from worker_service.jobs.schedule import Definition
from worker_service.store import Job, Queries, Schedules, Store, connect

HERE = Path(__file__).parent


class Namespace:
    """One namespace on a server, and the schedulers that fire into it."""

    def __init__(self, url: str, namespace: str, folder: Path) -> None:
        self.client = connect(url)
        self.store, self.reads = Store(self.client, namespace), Queries(self.client, namespace)
        self.schedules = Schedules(self.client, namespace)
        self.folder = folder
        self.schedulers: list[Scheduler] = []
        self.environment = {
            "JOBS_REDIS_URL": url,
            "JOBS_NAMESPACE": namespace,
            "JOBS_ACTOR_MODULES": "ticking",
            "NOTES": str(folder / "notes"),
        }

    def scheduler(
        self, intervals: dict[str, int], *, script: str | None = None, **settings: str
    ) -> "Scheduler":
        """Start one; another program than ``-m scheduler`` if a script is named."""
        log = self.folder / f"scheduler-{len(self.schedulers)}.log"
        command = [sys.executable, *([script] if script else ["-m", "scheduler"])]
        started = Scheduler(
            log, command, {**self.environment, "INTERVALS": json.dumps(intervals), **settings}
        )
        self.schedulers.append(started)
        return started

    def worker(self) -> None:
        """Start a worker of the same actors."""
        command = [
            str(Path(sys.executable).parent / "dramatiq"),
            "worker_service.actors",
            "-p",
            "1",
            "-t",
            "4",
        ]
        self.schedulers.append(Scheduler(self.folder / "worker.log", command, self.environment))

    def notes(self, name: str) -> Counter[str]:
        """Jobs of a schedule that have run, by their ids -> how often."""
        notes = self.folder / "notes"
        lines = notes.read_text().splitlines() if notes.exists() else []
        return Counter(line.split()[1] for line in lines if line.split()[0] == name)

    def was_declared(self, actor: str, every_ms: int, next_ms: int) -> None:
        """As an earlier scheduler of the same code has left it."""
        definition = Definition(actor=actor, every_ms=every_ms, overlap="allow_all")
        word = self.schedules.declare(
            actor, definition.to_text(), uid=actor, next_ms=next_ms, scheduler="", quiet_ms=0
        )
        assert word == "created"

    def jobs(self) -> list[Job]:
        """All jobs, in the order of their creation."""
        ids: list[bytes] = self.client.zrange(self.store.keys.jobs, 0, -1)  # type: ignore[assignment]
        return self.reads.jobs([id.decode() for id in ids], brief=True)

    def ticks(self, actor: str = "beat") -> Counter[int]:
        """Nominal instants of an actor's jobs -> how many jobs each has."""
        return Counter(job.tick_ms for job in self.jobs() if job.actor == actor and job.tick_ms is not None)

    def ticks_of(self, schedule: str) -> Counter[int]:
        """Nominal instants of a schedule's jobs -> how many jobs each has."""
        return Counter(
            job.tick_ms for job in self.jobs() if job.schedule == schedule and job.tick_ms is not None
        )

    def made_since(self, instant_ms: int, actor: str = "beat") -> bool:
        """Whether a job of an actor was created after an instant."""
        ids: list[bytes] = self.client.zrange(self.store.keys.jobs, instant_ms, "+inf", byscore=True)  # type: ignore[assignment]
        return any(job.actor == actor for job in self.reads.jobs([id.decode() for id in ids]))

    def leading(self) -> "Scheduler":
        """The one that fires."""
        leader = wait_until(self.schedules.leader, timeout=20)
        assert leader is not None
        pid = int(leader.split(":")[-2])
        return next(each for each in self.schedulers if each.main.pid == pid)

    def wait_for_tick(self, instant_ms: int, actor: str = "beat", timeout: float = 20) -> None:
        """Until a job of this tick, or a later one, is there."""
        wait_until(
            lambda: max(self.ticks(actor), default=0) >= instant_ms, timeout, f"no tick at {instant_ms}"
        )

    def close(self) -> None:
        for each in self.schedulers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each.main.pid, signal.SIGKILL)
            each.main.wait()
        self.client.close()


class Scheduler:
    """A running ``python -m scheduler``, or another command beside it."""

    def __init__(self, log: Path, command: list[str], settings: dict[str, str]) -> None:
        self.log = log
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "REDIS_"))
        }
        with log.open("wb") as output:
            self.main = subprocess.Popen(
                command,
                cwd=HERE,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**inherited, "JOBS_LOG_FORMAT": "console", **settings},
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
