"""The whole service on this machine: web, worker, scheduler, and a server and a mail sink where no others are named."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from .commands import WEB_STOP_SECONDS, base_url, scheduler_command, web_command, worker_command
from .embedded import EmbeddedServer
from .jobs.errors import StoreUnavailable
from .logs import for_parts
from .settings import Settings, embedded_url_file
from .store import ApiKeys, Logins, Queries, check_server, connect, shown_url
from .store.logins import CODE_MS
from .supervisor import STOP_SIGNALS, Command, Log, Supervisor

SCHEDULER_STOP_SECONDS = 5.0
IMPORT_SECONDS = 60.0
"""How long the actor modules may take to be imported."""

_without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_NEEDS = "needs {}: pip install 'worker-service[embedded]'"


class CannotStart(Exception):
    """Raised when the actors, or what a mode of `up` needs, cannot be had; says what to do."""


def up(settings: Settings, *, reload: bool = False) -> int:
    """Run all until Ctrl-C; returns the exit code.

    Args:
        settings: of all processes.
        reload: restart web, worker and scheduler when a Python file changes.

    Raises:
        AddressUnusable: see `web_command`.
        CannotStart: an actor module cannot be imported, or a package for ``reload`` is missing.
        EmbeddedServerError: there is no server to embed, or its data directory is in use.
        StoreUnavailable: the server that was named cannot be used.
    """
    if reload:
        _need_watchfiles()
    log = Log(["up", "worker", "web", "scheduler", "mail"], as_json=settings.log_format == "json")
    # The stack ends what it was given in the opposite order: the server last, when all others have gone.
    with contextlib.ExitStack() as stack:
        url, keep_store = stack.enter_context(_store(settings, log))
        commands = _commands(settings)
        changes = {
            "JOBS_REDIS_URL": url,
            "JOBS_REDIS_URL_FILE": None,
            **for_parts(sys.stdout, auto="console"),
            **stack.enter_context(_mails(settings, log)),
        }
        environment = _changed(os.environ, changes)
        if (settings.actor_modules or settings.routes) and (problem := _problem_with_actors(environment)):
            raise CannotStart(problem)
        supervisor = Supervisor(commands, environment, log)
        client = connect(url)
        reads = Queries(client, settings.namespace)
        before = reads.sessions()

        def on_ready() -> None:
            has_keys = settings.admin_key is not None or ApiKeys(client, settings.namespace).exist()
            log.write_plain(_welcome(settings, url, has_keys))
            if has_keys:
                log.write_plain(_link(settings, Logins(client, settings.namespace)))
            if reload:
                stack.enter_context(_reloading(settings, environment, supervisor, log))

        code = supervisor.run(
            is_ready=lambda: _web_answers(settings) and _worker_has_session(reads, before),
            on_ready=on_ready,
            on_look=keep_store,
        )
        for number in STOP_SIGNALS:  # the server is about to write its last data: nothing may cut that short
            signal.signal(number, signal.SIG_IGN)
        return code


def _commands(settings: Settings) -> list[Command]:
    """In the order of their start; the scheduler ends first and the worker last, so that no job is made for nobody."""
    grace = settings.shutdown_grace_ms / 1000
    return [
        Command("worker", worker_command(), grace, "running jobs"),
        Command("web", web_command(settings), WEB_STOP_SECONDS, "open requests"),
        Command("scheduler", scheduler_command(), SCHEDULER_STOP_SECONDS, "a schedule that is due"),
    ]


@contextlib.contextmanager
def _store(settings: Settings, log: Log) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the address of the store, the one that was set or that of an embedded server, and what keeps it running.

    A file keeps the address of an embedded server while it runs, so that other commands in this folder find it.
    """
    if "redis_url" in settings.model_fields_set:
        check_server(settings.redis_url)
        yield settings.redis_url, lambda: None
        return

    def keep_running() -> None:
        if server.pid is None:
            log.write("up", "The embedded server ended; starting it again.")
            server.start()

    with EmbeddedServer(settings.data_dir / "server") as server:
        note = embedded_url_file(settings.data_dir)
        note.write_text(server.url)
        try:
            yield server.url, keep_running
        finally:
            note.unlink(missing_ok=True)


@contextlib.contextmanager
def _mails(settings: Settings, log: Log) -> Iterator[dict[str, str | None]]:
    """Yield the changes of the environment that lead mails into files, unless a mail server is named."""
    if settings.smtp_host:
        yield {}
        return
    try:
        from .mail_sink import MailSink
    except ModuleNotFoundError:
        log.write("mail", "Mails cannot be sent: a mail sink " + _NEEDS.format("aiosmtpd"))
        yield {}
    else:
        with MailSink(settings.data_dir / "mail", lambda line: log.write("mail", line)) as sink:
            yield {
                "JOBS_SMTP_HOST": "127.0.0.1",
                "JOBS_SMTP_PORT": str(sink.port),
                "JOBS_SMTP_TLS": "none",
                "JOBS_SMTP_USERNAME": None,
                "JOBS_SMTP_PASSWORD": None,
                "JOBS_SMTP_PASSWORD_FILE": None,
            }


@contextlib.contextmanager
def _reloading(
    settings: Settings, environment: Mapping[str, str], supervisor: Supervisor, log: Log
) -> Iterator[None]:
    """Restart all after changes that can be imported; after others, what ran goes on."""
    from .reloader import Reloader, sources

    def on_change(paths: list[Path]) -> None:
        names = ", ".join(os.path.relpath(path) for path in paths[:3]) + (" ..." if paths[3:] else "")
        problem = _problem_with_actors(environment)
        if problem:
            log.write("up", f"{names} changed; what ran goes on, until this is mended:\n{problem}")
        else:
            log.write("up", f"{names} changed; restarting.")
            supervisor.restart_all()

    reloader = Reloader(
        sources(settings.actor_modules), settings.data_dir, on_change, lambda line: log.write("up", line)
    )
    reloader.start()
    try:
        yield
    finally:
        reloader.stop()


def _need_watchfiles() -> None:
    try:
        from . import reloader  # noqa: F401 - whether it can be had
    except ModuleNotFoundError:
        raise CannotStart("--reload " + _NEEDS.format("watchfiles")) from None


def _problem_with_actors(environment: Mapping[str, str]) -> str:
    """What keeps the actors from being imported, '' for nothing.

    Asked in a process of its own: this one lives long, and shall not carry Dramatiq and the actors' libraries.
    """
    code = "from worker_service import registry; registry.check()"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            timeout=IMPORT_SECONDS,
            start_new_session=True,  # Ctrl-C is ours
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"The modules of JOBS_ACTOR_MODULES are not imported within {IMPORT_SECONDS:.0f} s."
    if done.returncode == 0:
        return ""
    return done.stderr.strip() or f"The import of the actors ended with {done.returncode}."


def _changed(environment: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**environment, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _web_answers(settings: Settings) -> bool:
    try:
        with _without_proxy.open(f"{base_url(settings)}/readyz", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _worker_has_session(reads: Queries, before: set[str]) -> bool:
    try:
        return bool(reads.sessions() - before)
    except StoreUnavailable:
        return False


def _link(settings: Settings, logins: Logins) -> str:
    """Terminals and logs keep what was printed: it signs in once, and not for long."""
    minutes = CODE_MS // 60_000
    return f"""To sign in, once and within {minutes} minutes: {base_url(settings)}/login?code={logins.make_code()}
"""


def _welcome(settings: Settings, url: str, has_keys: bool) -> str:
    jobs, key = f"{base_url(settings)}/v1/jobs", _key_header(settings) if has_keys else ""
    own = ", ".join(settings.actor_modules) or "none, for JOBS_ACTOR_MODULES names no module"
    return f"""
Ready: {base_url(settings)}   (jobs are kept in {shown_url(url)}; Ctrl-C stops all)
Your own actors: {own}

  curl -s {jobs}{key} -H 'Content-Type: application/json' -d '{{"actor": "add", "args": {{"x": 2, "y": 3}}}}'
  curl -s {jobs}/ID{key}    # with the id from the answer
"""


def _key_header(settings: Settings) -> str:
    """Where the key is found, never the key itself: terminals and logs keep what was printed."""
    if settings.admin_key is None:
        return ' -H "Authorization: Bearer $KEY"'
    file = os.environ.get("JOBS_ADMIN_KEY_FILE")
    key = f"$(cat {shlex.quote(file)})" if file else "$JOBS_ADMIN_KEY"
    return f' -H "Authorization: Bearer {key}"'
