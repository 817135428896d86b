"""How many jobs does one web process accept, and how soon does it answer?

    python -m benchmarks --only intake [--rounds 5]

All run on granian with the options of `worker-service web`, one process, each with a new server:

- an empty Flask view: what Flask and granian cost,
- a Flask view that sends one SET to Redis and checks nothing: what storing anything costs,
- a Flask view that calls Celery's `delay()` (in an environment of its own): it checks and remembers nothing,
- `POST /v1/jobs`, checked against the actor's signature and with an `Idempotency-Key` that is new each time,
- `POST /v1/jobs:batch`, 5,000 jobs each, one batch after the other,
- `POST /v1/jobs` with one worker process beside it, until every job has succeeded.

For the single SET see docs/decisions/0015-what-one-web-process-accepts.md. No line is logged for each request.

`load.py` sends over 16 connections, or at 200 requests a second; then also while 200 clients follow `/v1/events`.

Not shown: several web processes; TLS; what a proxy in between costs. Client, web process and server share the machine,
so on two cores they take from each other.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from worker_service.commands import web_command
from worker_service.embedded import EmbeddedServer
from worker_service.settings import Settings
from worker_service.store.keys import Keys

from .contestants import NAMESPACE
from .environments import ROOT, python_environment
from .report import Section, percentile, spread

BODY = json.dumps({"actor": "nothing", "args": {"payload": "x" * 100}})
CONNECTIONS, STREAMS, PER_SECOND, BATCH = 16, 200, 200, 5_000
START_SECONDS = 30.0


def measure(rounds: int, quick: bool) -> list[Section]:
    """Alternating rounds."""
    jobs = 2_000 if quick else 10_000
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for name, run in _runs(jobs).items():
            found.setdefault(name, []).append(run())
            print(f"  {name}: {found[name][-1]}", flush=True)
    columns = ["", "jobs/s: median (range)", "x empty view", "x single", "p50 ms", "p99 ms"]
    rows = [_row(name, found) for name in found]
    return [Section(f"Intake: one web process, {jobs:,} jobs, {rounds} rounds", columns, rows, found)]


def _runs(jobs: int) -> dict[str, Callable[[], dict[str, float]]]:
    return {
        "empty Flask view": lambda: _flood("benchmarks.web_empty:create_app", jobs),
        "Flask and one SET": lambda: _flood("benchmarks.web_one_command:create_app", jobs),
        "Flask and Celery's delay()": lambda: _flood(
            "benchmarks.web_celery:create_app", jobs, python_environment("celery") / "python"
        ),
        SINGLE: lambda: _flood(OURS, jobs),
        "batches of 5,000": _batches,
        "POST to succeeded, one worker process": lambda: _to_succeeded(jobs),
        "at 200 requests/s": lambda: _steady(jobs),
        "at 200 requests/s, 200 clients stream": lambda: _steady(jobs, STREAMS),
    }


OURS = "worker_service.web:served_app"
SINGLE = "POST /v1/jobs"


def _row(name: str, found: dict[str, list[dict[str, float]]]) -> list[str]:
    def rates(of: str) -> list[float]:
        return [run["per_second"] for run in found[of] if "per_second" in run]

    def ratio(to: str) -> str:
        pairs = zip(rates(name), rates(to), strict=False)
        return spread([mine / other for mine, other in pairs], "{:.2f}") if rates(name) else "-"

    def latency(what: str) -> str:
        values = [run[what] for run in found[name] if what in run]
        return spread(values, "{:.1f}") if values else "-"

    rate = spread(rates(name)) if rates(name) else "-"
    return [name, rate, ratio("empty Flask view"), ratio(SINGLE), latency("p50"), latency("p99")]


def _flood(target: str, jobs: int, python: Path = Path(sys.executable)) -> dict[str, float]:
    with _web(target, python) as (port, _):
        _load(port, "flood", jobs // 10, CONNECTIONS)
        return _figures(_load(port, "flood", jobs, CONNECTIONS))


def _batches() -> dict[str, float]:
    with _web(OURS) as (port, _):
        _load(port, "batches", 1, BATCH)
        return {"per_second": _load(port, "batches", 5, BATCH)["per_second"]}


def _steady(jobs: int, streams: int = 0) -> dict[str, float]:
    with _web(OURS) as (port, _):
        _load(port, "flood", jobs // 10, CONNECTIONS)
        with _streaming(port, streams):
            run = _figures(_load(port, "steady", jobs // 2, PER_SECOND))
        return {"p50": run["p50"], "p99": run["p99"]}


def _to_succeeded(jobs: int) -> dict[str, float]:
    with _web(OURS) as (port, server), _worker(server.url), redis.Redis.from_url(server.url) as client:
        done = Keys(NAMESPACE).final("succeeded")
        _load(port, "flood", jobs // 10, CONNECTIONS)
        _wait(lambda: client.zcard(done) >= jobs // 10, "the first jobs")
        begin = time.perf_counter()
        _load(port, "flood", jobs, CONNECTIONS)
        _wait(lambda: client.zcard(done) >= jobs // 10 + jobs, "all jobs")
        return {"per_second": jobs / (time.perf_counter() - begin)}


def _figures(run: dict[str, Any]) -> dict[str, float]:
    found = {"p50": percentile(run["ms"], 50), "p99": percentile(run["ms"], 99)}
    return {"per_second": run["per_second"], **found} if "per_second" in run else found


def _load(port: int, task: str, count: int, number: int) -> dict[str, Any]:
    words = [sys.executable, "-m", "benchmarks.load", *map(str, (port, task, count, number)), BODY]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{task}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def _web(target: str, python: Path = Path(sys.executable)) -> Iterator[tuple[int, EmbeddedServer]]:
    """A web process and its server."""
    with EmbeddedServer(maxmemory="2gb") as server:
        settings = Settings(redis_url=server.url, http_port=_free_port())
        with _process(_command(settings, target, python), server.url):
            _wait(lambda: _answers(settings.http_port), "the web process")
            yield settings.http_port, server


def _command(settings: Settings, target: str, python: Path) -> list[str]:
    """Granian as the service runs it; the format of its log is of the service's own package."""
    options = web_command(settings)[1:-1]
    if target != OURS:
        begin = options.index("--log-config")
        del options[begin : begin + 2]
    return [str(python), *options, target]


@contextmanager
def _worker(url: str) -> Iterator[None]:
    command = [str(Path(sys.executable).parent / "dramatiq"), "benchmarks.peers.ours", "-p", "1", "-t", "8"]
    with _process(command, url):
        yield


@contextmanager
def _streaming(port: int, count: int) -> Iterator[None]:
    """Clients that follow what happens; none may be refused."""
    if not count:
        yield
        return
    words = [sys.executable, "-m", "benchmarks.load", *map(str, (port, "streams", count, 0)), "-"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        if json.loads(process.stdout.readline() or "{}").get("open") != count:
            raise RuntimeError("a stream was refused")
        yield
        process.stdin.close()


@contextmanager
def _process(command: list[str], url: str) -> Iterator[None]:
    variables = {
        **os.environ,
        "JOBS_REDIS_URL": url,
        "JOBS_NAMESPACE": NAMESPACE,
        "JOBS_LOG_LEVEL": "warning",
        "JOBS_ACTOR_MODULES": "benchmarks.peers.ours",
        "BENCH_REDIS_URL": url,
        "PYTHONPATH": str(ROOT),
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log)
        try:
            yield
        except Exception:
            log.seek(0)
            print(log.read().decode(errors="replace")[-3000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _wait(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} took over {START_SECONDS:g} s")
        time.sleep(0.005)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
