"""Real ``dramatiq`` commands as child processes, and what they left behind."""

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dramatiq

from tests.process.effects import Effects
from tests.waiting import wait_until
from worker_service.broker import bulk, webhooks
from worker_service.broker.broker import JobBroker
from worker_service.broker.submission import encode
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.store import NewJob

HERE = Path(__file__).parent
MODULE = "work"


class Service:
    """One namespace on a server: submits jobs as any producer does, and starts workers for them."""

    def __init__(self, url: str, namespace: str, folder: Path, **settings: Any) -> None:
        self.settings = Settings(redis_url=url, namespace=namespace, **settings)
        self.folder = folder
        self.sink = Effects(folder)
        self.broker = JobBroker(self.settings, default_middleware())
        bulk.declare(self.broker)
        webhooks.declare(self.broker, self.settings)
        self.store, self.reads = self.broker.store, self.broker.reads
        self.workers: list[Worker] = []

    def submit(self, actor: str, *args: object, count: int = 1, **fields: object) -> list[str]:
        """Submit ``count`` jobs; ``{i}`` in a text argument becomes the number of the job. Returns their ids."""
        ids: list[str] = []
        for first in range(0, count, 500):
            jobs = []
            for i in range(first, min(first + 500, count)):
                values = tuple(arg.format(i=i) if isinstance(arg, str) else arg for arg in args)
                message: dramatiq.Message[object] = dramatiq.Message("default", actor, values, {}, {})
                jobs.append(NewJob(message.message_id, "default", actor, encode(message), **fields))  # type: ignore[arg-type]
            self.store.submit(jobs)
            ids.extend(job.id for job in jobs)
        return ids

    def worker(
        self,
        *,
        threads: int = 8,
        processes: int = 1,
        command: str = "dramatiq",
        module: str = MODULE,
        more: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> "Worker":
        """Start one ``dramatiq`` command in a process group of its own, with ``more`` arguments for it."""
        arguments = [command, module, "-p", str(processes), "-t", str(threads), *more]
        started = Worker(self, arguments, env or {})
        self.workers.append(started)
        return started

    def supervise(self, until: Callable[[], bool], *, timeout: float = 60, **options: Any) -> None:
        """Keep one command running, as a supervisor does, until the condition holds.

        Args:
            options: of `worker`.
        """
        running = self.worker(**options)

        def restart_or_look() -> bool:
            nonlocal running
            if running.main.poll() is not None:
                running = self.worker(**options)
            return until()

        wait_until(restart_or_look, timeout=timeout)

    def effects(self, word: str) -> Counter[str]:
        """How often each job did what this word names, as the sink saw it."""
        return self.sink.count(word)

    def times(self, word: str, name: str) -> list[float]:
        """When a job did what this word names."""
        return self.sink.times(word, name)

    def in_state(self, state: str) -> int:
        """How many jobs ended in a state."""
        return int(self.store.client.zcard(self.store.keys.final(state)))

    def sessions(self) -> set[str]:
        """The sessions that are open."""
        return self.reads.sessions()

    def close(self) -> None:
        """End every worker that is left."""
        for worker in self.workers:
            worker.kill_group()
        self.sink.close()
        self.broker.close()


class Worker:
    """A running ``dramatiq`` command: its main process, its worker process and the keeper of that."""

    def __init__(self, service: Service, arguments: Sequence[str], env: Mapping[str, str]) -> None:
        command, *rest = arguments
        self.log = service.folder / f"worker-{len(service.workers)}.log"
        settings = service.settings
        with self.log.open("wb") as log:
            self.main = subprocess.Popen(
                [str(Path(sys.executable).parent / command), *rest],
                cwd=HERE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={
                    **os.environ,
                    "JOBS_REDIS_URL": settings.redis_url,
                    "JOBS_NAMESPACE": settings.namespace,
                    "JOBS_LEASE_MS": str(settings.lease_ms),
                    "JOBS_SHUTDOWN_GRACE_MS": str(settings.shutdown_grace_ms),
                    "JOBS_PREFETCH": str(settings.prefetch),
                    "EFFECTS_SINK": service.sink.address,
                    **env,
                },
            )

    def processes(self) -> dict[str, int]:
        """The pids by role: worker and keeper."""
        found = {}
        for pid in _children(self.main.pid):
            for child in _children(pid):
                if b"worker_service.broker.keeper" in _command(child):
                    found = {"worker": pid, "keeper": child}
        return found

    def pid(self, role: str) -> int:
        """The pid of the worker or the keeper, once it runs."""
        wait_until(lambda: role in self.processes(), timeout=15, message=f"no {role}, see {self.log}")
        return self.processes()[role]

    def kill(self, role: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to the worker or the keeper."""
        os.kill(self.pid(role), number)

    def terminate(self) -> None:
        """Ask the command to stop, as an orchestrator does."""
        self.main.terminate()

    def wait(self, timeout: float = 30) -> int:
        """The exit code, once it has ended."""
        return self.main.wait(timeout)

    def kill_group(self) -> None:
        """Kill every process of the command at once, as if the host were lost."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.main.pid, signal.SIGKILL)
        self.main.wait(10)


def is_alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except (FileNotFoundError, ProcessLookupError):  # the second one: it went while being read
        return False


def _children(pid: int) -> list[int]:
    try:
        text = "".join(task.joinpath("children").read_text() for task in Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in text.split()]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
