"""How much does a worker get done at the same time: jobs that wait for an answer, and jobs that compute?

    chrt -r 1 .venv/bin/python -m benchmarks --only concurrency [--rounds 3] [--quick]

Waiting jobs ask a server on this machine that answers after a second; from the sending of the first to the end of the
last, by workers that were idle. "At once" is how many that server saw waiting at the same time, "taken back" how many
jobs ran a second time because their lease was not extended. Computing jobs are Python code; "x" is the rate beside that
of one process with one thread, in the same round. Memory is that of all processes of the command (PSS).

Not shown: waits for something that sends much (the interpreter is then the limit), code that computes outside of Python
and lets other threads run meanwhile, more processes than cores.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dramatiq

from worker_service.broker.broker import JobBroker
from worker_service.broker.submission import encode
from worker_service.embedded import EmbeddedServer
from worker_service.middleware import default_middleware
from worker_service.settings import Settings
from worker_service.store import NewJob

from .contestants import NAMESPACE
from .environments import ROOT
from .report import Section, spread
from .stage import START_SECONDS, STOP_SECONDS, Workers

ACTORS = "benchmarks.peers.ours_concurrency"
WAITS, ANSWER_AFTER_SECONDS = 500, 1.0
STEPS = 2_000_000
SETTLED_SECONDS = 0.5


@dataclass(frozen=True)
class Case:
    """One worker, and what it is given.

    Attributes:
        threads: of each process; greenlets under gevent.
    """

    name: str
    actor: str
    processes: int
    threads: int
    gevent: bool = False

    @property
    def waits(self) -> bool:
        return self.actor != "compute"

    def command(self) -> list[str]:
        """As docs/concurrency.md tells people to run it."""
        numbers = ["--processes", str(self.processes), "--threads", str(self.threads)]
        programs = Path(sys.executable).parent
        if self.gevent:
            return [str(programs / "dramatiq-gevent"), "worker_service.actors", *numbers]
        return [str(programs / "worker-service"), "worker", *numbers]

    def jobs(self, quick: bool) -> list[NewJob]:
        """Enough to see its rate; of few threads that wait, not all 500."""
        arguments: tuple[int, ...] = () if self.waits else (STEPS,)
        count = min(WAITS, 5 * self.threads) if self.waits else 20 if quick else 60
        messages = [dramatiq.Message[object]("default", self.actor, arguments, {}, {}) for _ in range(count)]
        return [NewJob(each.message_id, "default", self.actor, encode(each)) for each in messages]


CASES = [
    Case("8 threads", "ask", 1, 8),
    Case("64 threads", "ask", 1, 64),
    Case("500 threads", "ask", 1, WAITS),
    Case("gevent, 500 greenlets", "ask", 1, WAITS, gevent=True),
    Case("async actor, 500 threads", "ask_async", 1, WAITS),
    Case("1 process, 1 thread (solo)", "compute", 1, 1),
    Case("1 process, 8 threads", "compute", 1, 8),
    Case("1 process, gevent, 8 greenlets", "compute", 1, 8, gevent=True),
    Case("2 processes, 1 thread each", "compute", 2, 1),
    Case("2 processes, 8 threads each", "compute", 2, 8),
]
ALONE = "1 process, 1 thread (solo)"


def measure(rounds: int, quick: bool) -> list[Section]:
    """All cases once per round."""
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for case in CASES:
            found.setdefault(case.name, []).append(_run(case, quick))
            print(f"  {case.name}: {found[case.name][-1]}", flush=True)
    return [
        Section(
            f"Concurrency: one-second waits, and jobs that compute, {rounds} rounds",
            ["", "jobs", "seconds: median (range)", "jobs/s", "x", "at once", "taken back", "MiB"],
            [_row(case, found[case.name], found[ALONE]) for case in CASES],
            found,
        )
    ]


def _row(case: Case, runs: list[dict[str, float]], alone: list[dict[str, float]]) -> list[str]:
    def middle(what: str, form: str = "{:,.0f}") -> str:
        return form.format(statistics.median(run[what] for run in runs))

    ratios = [run["per_second"] / other["per_second"] for run, other in zip(runs, alone, strict=True)]
    return [
        case.name,
        middle("jobs"),
        spread([run["seconds"] for run in runs], "{:.2f}"),
        middle("per_second", "{:,.1f}"),
        "-" if case.waits else spread(ratios, "{:.2f}"),
        middle("at_once") if case.waits else "-",
        f"{sum(run['taken_back'] for run in runs):.0f}",
        middle("mib"),
    ]


def _run(case: Case, quick: bool) -> dict[str, float]:
    with (
        _Site() as site,
        EmbeddedServer(maxmemory="1gb") as server,
        _worker(case, server.url, site.port) as worker,
    ):
        broker = JobBroker(Settings(redis_url=server.url, namespace=NAMESPACE), default_middleware())
        try:
            jobs = case.jobs(quick)
            _wait(lambda: len(broker.reads.sessions()) == case.processes, START_SECONDS, "the start")
            time.sleep(SETTLED_SECONDS)
            begin = time.monotonic()
            broker.store.submit(jobs)
            done = broker.store.keys.final("succeeded")
            _wait(lambda: broker.store.client.zcard(done) == len(jobs), 120, "all jobs")
            seconds = time.monotonic() - begin
            deliveries = [len(job.deliveries) for each in jobs if (job := broker.reads.job(each.id))]
            return {
                "jobs": len(jobs),
                "seconds": seconds,
                "per_second": len(jobs) / seconds,
                "at_once": site.most,
                "taken_back": sum(deliveries) - len(jobs),
                "mib": worker.memory() / 2**20,
            }
        finally:
            broker.close()


@contextmanager
def _worker(case: Case, url: str, port: int) -> Iterator[Workers]:
    environment = {
        **os.environ,
        "JOBS_REDIS_URL": url,
        "JOBS_NAMESPACE": NAMESPACE,
        "JOBS_ACTOR_MODULES": ACTORS,
        "BENCH_SITE_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            case.command(), cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield Workers([process])
        except TimeoutError:
            log.seek(0)
            print(log.read().decode(errors="replace")[-3000:], flush=True)
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_SECONDS)


class _Site:
    """A server that answers each request after a second, however many there are; on an event loop in a thread."""

    def __enter__(self) -> "_Site":
        self.port = 0
        self.most = self._waiting = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        listening = asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=2 * WAITS)
        server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self._waiting += 1
        self.most = max(self.most, self._waiting)
        await asyncio.sleep(ANSWER_AFTER_SECONDS)
        self._waiting -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()


def _wait(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} took over {seconds:g} s")
        time.sleep(0.005)
