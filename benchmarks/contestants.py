"""Who takes part: worker-service in several settings, and stock Dramatiq in a virtual environment of its own.

Stock Dramatiq gets the very versions of dramatiq, redis and hiredis that worker-service runs with, so that
what differs is the broker. The environment is made once, below `.cache/bench/`.
"""

import importlib.util
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import redis

from worker_service.store.keys import Keys

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
NAMESPACE = "bench"
SHARED_PACKAGES = ("dramatiq", "redis", "hiredis")


@dataclass(frozen=True)
class Contestant:
    """One way to run the jobs.

    Attributes:
        name: in tables.
        folder: of its `python` and `dramatiq`.
        module: of its actors.
        command: dramatiq or dramatiq-gevent.
        settings: environment variables of its worker and its producer.
    """

    name: str
    folder: Path
    module: str
    command: str = "dramatiq"
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def is_stock(self) -> bool:
        return self.module.endswith("stock")

    def environment(self, url: str) -> dict[str, str]:
        """What its processes need to know of the server."""
        where = (
            {"BENCH_REDIS_URL": url}
            if self.is_stock
            else {"JOBS_REDIS_URL": url, "JOBS_NAMESPACE": NAMESPACE}
        )
        return {**where, **self.settings}

    def waiting(self, client: redis.Redis) -> int:
        """How many jobs nobody has fetched yet."""
        if self.is_stock:
            return int(client.llen("dramatiq:default"))
        return int(client.zcard(Keys(NAMESPACE).ready("default")))

    def unfinished(self, client: redis.Redis, sent: int) -> int:
        """How many of the jobs sent have not been recorded as done; one cheap command."""
        if self.is_stock:
            return int(client.hlen("dramatiq:default.msgs"))
        return sent - int(client.zcard(Keys(NAMESPACE).final("succeeded")))


def ours(name: str = "ours", command: str = "dramatiq", **settings: str) -> Contestant:
    """worker-service from this checkout."""
    return Contestant(name, Path(sys.executable).parent, "benchmarks.actors_ours", command, settings)


def stock(name: str = "stock", **settings: str) -> Contestant:
    """Stock Dramatiq; makes its environment when it is missing or has other versions."""
    return Contestant(name, _stock_environment(), "benchmarks.actors_stock", "dramatiq", settings)


def has_gevent() -> bool:
    """Whether worker-service can be run under gevent here."""
    return importlib.util.find_spec("gevent") is not None


def _stock_environment() -> Path:
    return environment("stock", [f"{name}=={version(name)}" for name in SHARED_PACKAGES])


def environment(name: str, packages: Sequence[str]) -> Path:
    """The folder of programs of a virtual environment below `.cache/bench/`; made when it is missing or differs."""
    home = CACHE / name
    installed = home / "installed.txt"
    wanted = "\n".join([sys.version, *packages])
    if not installed.exists() or installed.read_text() != wanted:
        print(f"installing {' '.join(packages)} into {home}", flush=True)
        venv.create(home, clear=True, with_pip=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *packages], check=True)
        (CACHE.parent / ".gitignore").write_text("*\n")
        installed.write_text(wanted)
    return home / "bin"
