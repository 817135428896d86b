"""Whether the web process, a worker or a scheduler of this host does its work, for the health checks of containers.

All need Redis: they tell whether to send work here, not whether to restart the process, which would not bring
Redis back.
"""

import json
import socket
import urllib.error
import urllib.request

from .commands import base_url
from .settings import Settings
from .store import Queries, Schedules, connect

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
        raise Unhealthy(f"The web process does not answer: {error}") from error


def check_worker(settings: Settings) -> None:
    """Look whether a worker process of this host has a lease, which it loses when it hangs.

    Raises:
        Unhealthy: none has.
        StoreUnavailable: Redis is away.
    """
    host = socket.gethostname()[:64]
    with connect(settings.redis_url, retries=0) as client:
        hosts = Queries(client, settings.namespace).hosts()
    if host not in hosts:
        raise Unhealthy(f"No worker process of {host} has a lease.")


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


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, LookupError, TypeError):
        return f"/readyz answers {error.code}"
