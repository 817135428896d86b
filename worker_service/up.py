"""Web, worker and, when no other is named, an embedded server: the whole service on this machine."""

import contextlib
import errno
import os
import shlex
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence

from .embedded import EmbeddedServer
from .jobs.errors import StoreUnavailable
from .settings import MAKE_KEY, Settings, embedded_url_file, is_loopback
from .store import Queries, connect
from .supervisor import Command, Supervisor

WEB_THREADS = 32
WEB_STOP_SECONDS = 10
AFTER_GRACE_SECONDS = 15.0
"""What a worker may need beyond its grace to write what ended and to leave."""


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
        "--blocking-threads": str(WEB_THREADS),
        "--workers-kill-timeout": str(WEB_STOP_SECONDS),
        "--log-level": "error",  # else it warns of more threads than cores; these wait for Redis
    }
    words = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "granian", *words, "--no-ws", "--factory", "worker_service.web:create_app"]


def worker_command(arguments: Sequence[str] = ()) -> list[str]:
    """What runs a worker; ``arguments`` are those of the ``dramatiq`` command and win over ours."""
    ours = ["--processes", "1", "--threads", "8"]
    return [sys.executable, "-m", "dramatiq", "worker_service.actors", *ours, *arguments]


def up(settings: Settings) -> int:
    """Run all until Ctrl-C; returns the exit code.

    Raises:
        AddressUnusable: see `web_command`.
        EmbeddedServerError: there is no server to embed, or its data directory is in use.
    """
    commands = [Command("web", web_command(settings)), Command("worker", worker_command())]
    with _store(settings) as url:
        supervisor = Supervisor(
            commands,
            environment={**os.environ, "JOBS_REDIS_URL": url},
            grace_seconds=settings.shutdown_grace_ms / 1000 + AFTER_GRACE_SECONDS,
        )
        reads = Queries(connect(url), settings.namespace)
        before = reads.sessions()
        return supervisor.run(
            is_ready=lambda: _web_answers(settings) and _worker_has_session(reads, before),
            on_ready=lambda: supervisor.log.write_plain(_welcome(settings, url)),
        )


@contextlib.contextmanager
def _store(settings: Settings) -> Iterator[str]:
    """Yield the address of the store: the one that was set, or that of an embedded server.

    A file keeps the latter while the server runs, so that other commands in this folder find it.
    """
    if "redis_url" in settings.model_fields_set:
        yield settings.redis_url
        return
    with EmbeddedServer(settings.data_dir / "server") as server:
        note = embedded_url_file(settings.data_dir)
        note.write_text(server.url)
        try:
            yield server.url
        finally:
            note.unlink(missing_ok=True)


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
        raise AddressUnusable(f"Port {port} is in use. Use another one: JOBS_HTTP_PORT={other} make run")


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


def _web_answers(settings: Settings) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url(settings)}/readyz", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _worker_has_session(reads: Queries, before: set[str]) -> bool:
    try:
        return bool(reads.sessions() - before)
    except StoreUnavailable:
        return False


def base_url(settings: Settings) -> str:
    """Where the web process listens."""
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    return f"http://{host}:{settings.http_port}"


def _welcome(settings: Settings, url: str) -> str:
    jobs, key = f"{base_url(settings)}/v1/jobs", _key_header(settings)
    return f"""
Ready: {base_url(settings)}   (jobs are kept in {url}; Ctrl-C stops all)

  curl -s {jobs}{key} -H 'Content-Type: application/json' -d '{{"actor": "add", "args": {{"x": 2, "y": 3}}}}'
  curl -s {jobs}/ID{key}    # with the id from the answer
"""


def _key_header(settings: Settings) -> str:
    """Where the key is found, never the key itself: terminals and logs keep what was printed."""
    if settings.admin_key is None:
        return ""
    file = os.environ.get("JOBS_ADMIN_KEY_FILE")
    key = f"$(cat {shlex.quote(file)})" if file else "$JOBS_ADMIN_KEY"
    return f' -H "Authorization: Bearer {key}"'
