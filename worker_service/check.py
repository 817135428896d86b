"""Whether what runs on this host does its work, for the health checks of containers; and whether the server is fit.

All need Redis: they tell whether to send work here, not whether to restart the process, which would not bring
Redis back.
"""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from .commands import base_url, part_run_by
from .jobs.instants import to_text
from .kept_processes import kept_processes
from .settings import Settings
from .store import Finding, Schedules, check_server, connect, examine
from .store.keys import Keys
from .store.workers import Workers

PROCESSES = Path("/proc")

_without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Unhealthy(Exception):
    """Raised when it does not work; says why."""


def check_web(settings: Settings) -> None:
    """Ask the web process of this host whether it is ready.

    Raises:
        Unhealthy: it does not answer, or says what it lacks.
    """
    try:
        with _without_proxy.open(f"{base_url(settings)}/readyz", timeout=5):
            return
    except urllib.error.HTTPError as error:
        raise Unhealthy(_reason(error)) from error
    except OSError as error:
        raise Unhealthy(
            f"The web process does not answer at {base_url(settings)} (JOBS_HTTP_HOST, JOBS_HTTP_PORT): {error}"
        ) from error


def check_worker(settings: Settings, processes: Path = PROCESSES) -> None:
    """Look whether the worker processes of this host have a lease each, which one loses that is gone or stopped, and
    get on with their work.

    Args:
        processes: where the system shows what runs.

    Raises:
        Unhealthy: none has, one of this service has none, or one gets nowhere.
        StoreUnavailable: Redis is away.
    """
    host = socket.gethostname()[:64]
    with connect(settings.redis_url, retries=0) as client:
        workers = Workers(client, Keys(settings.namespace)).on_host(host)
    if not workers:
        raise Unhealthy(f"No worker process of {host} has a lease.")
    for worker in workers:
        if worker.stalled_at_ms is not None:
            raise Unhealthy(
                f"The worker process {worker.pid} of {host} gets nowhere: it has a {worker.stalled_in} to do since "
                f"{to_text(worker.stalled_at_ms)}."
            )
    for pid in sorted(kept_processes(processes) - {worker.pid for worker in workers}):
        raise Unhealthy(f"The worker process {pid} of {host} has no lease, although it has run for a while.")


def check_scheduler(settings: Settings) -> None:
    """Look whether a scheduler process of this host has a lease; whether it leads does not matter.

    Raises:
        Unhealthy: none has.
        StoreUnavailable: Redis is away.
    """
    host = socket.gethostname()[:40]
    with connect(settings.redis_url, retries=0) as client:
        live = Schedules(client, settings.namespace).live_schedulers()
    if host not in {id.rsplit(":", 2)[0] for id in live}:
        raise Unhealthy(f"No scheduler process of {host} has a lease.")


PARTS = {"web": check_web, "worker": check_worker, "scheduler": check_scheduler}


def check_self(settings: Settings, processes: Path = PROCESSES) -> None:
    """Check each part of the service that this container runs: one image, one health check. Linux only.

    Args:
        processes: where the system shows what runs.

    Raises:
        Unhealthy: none runs, or one does not work.
        StoreUnavailable: Redis is away.
    """
    running = {part_run_by(words) for words in _command_lines(processes)} - {None}
    if not running:
        raise Unhealthy("No web process, worker or scheduler runs here.")
    for part, check in PARTS.items():
        if part in running:
            check(settings)


def examined_server(settings: Settings) -> list[Finding]:
    """What is wrong with the server at JOBS_REDIS_URL.

    Raises:
        StoreUnavailable: it does not answer; says what to do.
    """
    check_server(settings.redis_url)
    with connect(settings.redis_url, retries=0) as client:
        return examine(client, Keys(settings.namespace))


def _command_lines(processes: Path) -> Iterator[list[str]]:
    for file in processes.glob("[0-9]*/cmdline"):
        try:
            yield file.read_bytes().decode(errors="replace").split("\0")
        except OSError:  # it ended meanwhile
            continue


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, LookupError, TypeError):
        return f"/readyz answers {error.code}"
