"""What starts each process of the service."""

import errno
import socket
import sys
from collections.abc import Sequence
from importlib.resources import files

from .settings import MAKE_KEY, Settings, is_loopback

WEB_STOP_SECONDS = 10


_MARKS = {
    "web": ["worker_service.web:served_app", "worker-service web"],
    "worker": ["worker_service.actors", "worker-service worker"],
    "scheduler": ["-m scheduler"],
}


class AddressUnusable(Exception):
    """Raised when the web process cannot, or may not, listen where it was told to; says what to do."""


def web_command(settings: Settings) -> list[str]:
    """What runs the web process.

    Raises:
        AddressUnusable: the address is not loopback and there is no key, or it is taken, or not of this machine.
    """
    _check_address(settings)
    options = {
        "--interface": "wsgi",
        "--host": settings.http_host,
        "--port": str(settings.http_port),
        "--blocking-threads": str(settings.http_threads),
        "--workers-kill-timeout": str(WEB_STOP_SECONDS),
        "--log-config": str(files(__package__) / "granian_log.json"),
        "--log-level": "error",  # else it warns of more threads than cores; these wait for Redis
    }
    words = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "granian", *words, "--no-ws", "--factory", "worker_service.web:served_app"]


def worker_command(arguments: Sequence[str] = ()) -> list[str]:
    """What runs a worker; ``arguments`` are those of the ``dramatiq`` command and win over ours."""
    ours = ["--processes", "1", "--threads", "8"]
    return [sys.executable, "-m", "dramatiq", "worker_service.actors", *ours, *arguments]


def scheduler_command() -> list[str]:
    """What runs the scheduler."""
    return [sys.executable, "-m", "scheduler"]


def part_run_by(words: Sequence[str]) -> str | None:
    """Which part of the service a process is, by its command line: ``web``, ``worker``, ``scheduler`` or none."""
    given = f"{' '.join(words)} "
    for part, marks in _MARKS.items():
        if any(f"{mark} " in given for mark in marks):
            return part
    return None


def base_url(settings: Settings) -> str:
    """Where the web process listens."""
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    return f"http://{host}:{settings.http_port}"


def _check_address(settings: Settings) -> None:
    host, port = settings.http_host, settings.http_port
    if settings.admin_key is None and not is_loopback(host):
        raise AddressUnusable(
            f"JOBS_HTTP_HOST={host}: only loopback addresses (127.0.0.1, ::1, localhost) are allowed without "
            "a key, because whoever reached the port could run jobs. "
            f'To set one: export JOBS_ADMIN_KEY="$({MAKE_KEY})"'
        )
    if not _is_free(host, port):
        other = next((other for other in range(port + 1, min(port + 100, 65536)) if _is_free(host, other)), 0)
        raise AddressUnusable(f"Port {port} is in use. Use another one: JOBS_HTTP_PORT={other}")


def _is_free(host: str, port: int) -> bool:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise AddressUnusable(f"JOBS_HTTP_HOST={host}, port {port}: {error.strerror}") from error
    return True
