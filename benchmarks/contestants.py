"""Who takes part: worker-service in several settings, and the systems that people choose today.

Each runs eight jobs at once, in the way that it has for that, in one worker: one command as its documentation shows it.
"""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .environments import PEERS, node_environment, python_environment

NAMESPACE = "bench"
SLOTS = 8
PREFETCH = 128


@dataclass(frozen=True)
class Contestant:
    """One way to run the jobs.

    Attributes:
        name: in tables.
        worker: the command of one worker.
        producer: the command that sends jobs; the words of produce.py follow.
        pace: no-op jobs that it runs in some four seconds on a small machine: how long a measurement takes.
        settings: environment variables of its worker and its producer.
        lacks: questions that it is not asked, because it has nothing for them.
    """

    name: str
    worker: Sequence[str]
    producer: Sequence[str]
    pace: int
    settings: dict[str, str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()

    def environment(self, url: str) -> dict[str, str]:
        """What its processes need to know of the server."""
        return {
            "BENCH_REDIS_URL": url,
            "JOBS_REDIS_URL": url,
            "JOBS_NAMESPACE": NAMESPACE,
            **self.settings,
        }


def ours(name: str = "ours", command: str = "dramatiq", pace: int = 20_000, **settings: str) -> Contestant:
    """worker-service from this checkout; without a line in the log for each job, as no other writes one either."""
    programs = Path(sys.executable).parent
    worker = [str(programs / command), "benchmarks.peers.ours", "-p", "1", "-t", str(SLOTS)]
    return Contestant(
        name, worker, _produce(programs, "ours"), pace, {"JOBS_LOG_LEVEL": "warning", **settings}
    )


def stock(name: str = "stock Dramatiq", **settings: str) -> Contestant:
    """Stock Dramatiq."""
    programs = python_environment("stock")
    worker = [str(programs / "dramatiq"), "benchmarks.peers.stock", "-p", "1", "-t", str(SLOTS)]
    return Contestant(name, worker, _produce(programs, "stock"), 8_000, settings)


def celery(name: str = "Celery, prefork", pool: str = "prefork", pace: int = 4_000) -> Contestant:
    """Celery: eight child processes, or eight threads."""
    programs = python_environment("celery")
    words = ["-A", "benchmarks.peers.celery", "worker", "--pool", pool, "--concurrency", str(SLOTS)]
    worker = [str(programs / "celery"), *words, "--loglevel", "WARNING"]
    return Contestant(name, worker, _produce(programs, "celery"), pace)


def rq() -> Contestant:
    """RQ: a pool of eight workers."""
    programs = python_environment("rq")
    worker = [str(programs / "rq"), "worker-pool", "--num-workers", str(SLOTS), "--logging-level", "WARNING"]
    url = ["--url", "{url}"]
    return Contestant("RQ", [*worker, *url], _produce(programs, "rq"), 1_000, lacks=frozenset({"delayed"}))


def arq() -> Contestant:
    """arq: eight coroutines."""
    programs = python_environment("arq")
    worker = [str(programs / "arq"), "benchmarks.peers.arq.WorkerSettings"]
    return Contestant("arq", worker, _produce(programs, "arq"), 2_000)


def huey() -> Contestant:
    """Huey: eight threads."""
    programs = python_environment("huey")
    words = ["benchmarks.peers.huey.huey", "--workers", str(SLOTS), "--worker-type", "thread", "--quiet"]
    return Contestant("Huey", [str(programs / "huey_consumer"), *words], _produce(programs, "huey"), 6_000)


def taskiq() -> Contestant:
    """taskiq: eight coroutines, or threads for what is no coroutine."""
    programs = python_environment("taskiq")
    most = ["--max-async-tasks", str(SLOTS), "--max-threadpool-threads", str(SLOTS)]
    words = ["worker", "benchmarks.peers.taskiq:broker", "--workers", "1", *most, "--log-level", "WARNING"]
    return Contestant(
        "taskiq",
        [str(programs / "taskiq"), *words, "--ack-type", "when_executed"],
        _produce(programs, "taskiq"),
        8_000,
        lacks=frozenset({"delayed"}),
    )


def bullmq() -> Contestant | None:
    """BullMQ, where node and npm are."""
    home = node_environment("bullmq")
    if home is None:
        return None
    program = ["node", str(home / "bullmq.mjs")]
    return Contestant("BullMQ", [*program, "worker"], program, 40_000)


def sidekiq() -> Contestant | None:
    """Sidekiq, where Debian's package is."""
    if not shutil.which("sidekiq"):
        return None
    program = str(PEERS / "sidekiq.rb")
    words = ["-r", program, "--concurrency", str(SLOTS), "--queue", "default"]
    return Contestant("Sidekiq", ["sidekiq", *words], ["ruby", program], 15_000)


def with_prefetch(name: str = "ours", command: str = "dramatiq") -> Contestant:
    """Ours as its documentation says for jobs of less than a few milliseconds."""
    return ours(f"{name}, JOBS_PREFETCH={PREFETCH}", command, 40_000, JOBS_PREFETCH=str(PREFETCH))


def settings_of_ours() -> list[Contestant]:
    """Ours claims fairly by default; others take jobs in advance, so that is shown too."""
    wanted = [ours(), with_prefetch()]
    if importlib.util.find_spec("gevent") is not None:
        wanted.append(with_prefetch("ours, gevent", "dramatiq-gevent"))
    return wanted


PEERS_OF_OURS: dict[str, Callable[[], Contestant | None]] = {
    "stock": stock,
    "celery": celery,
    "celery-threads": lambda: celery("Celery, threads", "threads"),
    "rq": rq,
    "arq": arq,
    "huey": huey,
    "taskiq": taskiq,
    "bullmq": bullmq,
    "sidekiq": sidekiq,
}
"""What `--peers` names."""

chosen: list[str] = list(PEERS_OF_OURS)
"""Those that take part in this run."""


def peers(question: str = "") -> list[Contestant]:
    """Who takes part beside ours, and has something for this question; who cannot be run here is left out, by name."""
    found = []
    for name in chosen:
        one = PEERS_OF_OURS[name]()
        if one is None:
            print(f"  left out, not installed here: {name}", flush=True)
        elif question not in one.lacks:
            found.append(one)
    return found


def _produce(programs: Path, peer: str) -> list[str]:
    return [str(programs / "python"), "-m", "benchmarks.produce", f"benchmarks.peers.{peer}"]
