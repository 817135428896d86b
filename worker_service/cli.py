"""The command line's front door.

A command imports what it needs when it runs: ``--help`` and the completion of a shell have to be there at once.
"""

import os
import shlex
import sys
from contextlib import suppress
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import __version__
from .console import COMMANDS
from .jobs.errors import StoreTooNew, StoreUnavailable

if TYPE_CHECKING:
    from .settings import Settings
    from .store import Finding

PARTS = ("self", "web", "worker", "scheduler", "redis")
"""What `check_part` looks at."""


@click.group(commands=dict(COMMANDS))
@click.version_option(__version__)
def main() -> None:
    """A background-job service: POST a job over HTTP, workers run it."""
    # Actor modules of this folder are found, as `python -m` finds them for web, workers and schedulers.
    if "" not in sys.path:
        sys.path.insert(0, "")


@main.command("up")
@click.option("--reload", is_flag=True, help="Restart web, worker and scheduler when a Python file changes.")
def run_all(reload: bool) -> None:
    """Start web, a worker, a scheduler and, when no JOBS_REDIS_URL is set, an embedded server; Ctrl-C stops all."""
    from .commands import AddressUnusable
    from .embedded import DataDamaged, EmbeddedServerError
    from .up import CannotStart, up

    try:
        raise SystemExit(up(_settings(), reload=reload))
    except DataDamaged as error:
        raise click.ClickException(
            f"{error}\nTo repair them, a copy being kept: {_own_command('repair', str(error.data_dir))}"
        ) from error
    except (AddressUnusable, CannotStart, EmbeddedServerError, StoreUnavailable) as error:
        raise click.ClickException(str(error)) from error


@main.command("repair")
@click.argument("data_dir", required=False, type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def repair_data(data_dir: Path | None, yes: bool) -> None:
    """Mend a damaged append-only file of the embedded server, whose files are in DATA_DIR."""
    from .embedded import EmbeddedServerError, find_damage, repair

    data_dir = (data_dir or _settings().data_dir / "server").absolute()
    try:
        damage = find_damage(data_dir)
        if damage is None:
            click.echo(f"No damage found in {data_dir}.")
            return
        click.echo(
            f"{damage.file} is damaged at byte {damage.sound} of {damage.size}. The repair keeps what stands before "
            f"that, cuts off the {damage.size - damage.sound} bytes from there on, and makes a copy of all first: "
            "jobs of that time are lost, and those that ended in it run again."
        )
        if not yes:
            click.confirm("Repair it?", abort=True)
        copy = repair(data_dir, damage)
    except (EmbeddedServerError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Repaired. As it was before: {copy}")


@main.command("web")
def run_web() -> None:
    """Start the web process alone."""
    from .commands import AddressUnusable, base_url, web_command

    try:
        _refuse_newer_data(_settings())
        command = web_command(_settings())
    except (AddressUnusable, StoreTooNew) as error:
        raise click.ClickException(str(error)) from error
    _tell_server()
    click.echo(f"Listening at {base_url(_settings())}", err=True)
    os.execv(command[0], command)


@main.command("first-key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def make_first_key(file: Path) -> None:
    """Make the key that may do everything, for JOBS_ADMIN_KEY_FILE, and print it once; a FILE that is there stays."""
    from .first_key import first_key

    try:
        key = first_key(file)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    if key:
        click.echo(f"The first key, which may do everything, is in {file}, and printed this once: {key}")


@main.command("worker", context_settings={"ignore_unknown_options": True})
@click.option("--processes", "-p", default=1, show_default=True, type=click.IntRange(1, 256))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[DRAMATIQ ARGUMENTS]...")
def run_worker(processes: int, arguments: tuple[str, ...]) -> None:
    """Run worker processes, and start one that ends again while the others go on.

    Other arguments are those of the dramatiq command: --threads 8, --queues emails reports.
    """
    from .workers import run_workers

    raise SystemExit(run_workers(_settings(), processes, arguments))


@main.command("check")
@click.argument("part", type=click.Choice(PARTS), default="self")
@click.option("--json", "json", is_flag=True, help="Tell it to a program.")
def check_part(part: str, json: bool) -> None:
    """Whether the web process, a worker or a scheduler of this host does its work, or (self) all of them that run here;
    or whether the server at JOBS_REDIS_URL is fit for jobs (redis).

    Exit code 0: all is well, or there are warnings only; 1: something is not.
    """
    from . import check
    from .store import Finding

    findings: list[Finding] = []
    try:
        if part == "redis":
            findings = check.examined_server(_settings())
        elif part == "self":
            check.check_self(_settings())
        else:
            check.PARTS[part](_settings())
    except (check.Unhealthy, StoreUnavailable) as error:
        findings = [Finding("error", part, str(error))]
    if json:
        click.echo(dumps({"findings": [asdict(each) for each in findings]}, ensure_ascii=False))
    else:
        _tell(findings)
        if part == "redis" and not findings:
            click.echo("The server is fit for jobs.")
    raise SystemExit(1 if any(each.level == "error" for each in findings) else 0)


@main.command("doctor")
@click.option("--repair", is_flag=True, help="Repair what is found; jobs may go on meanwhile.")
@click.option("--json", "json", is_flag=True, help="Tell it to a program.")
def examine_store(repair: bool, json: bool) -> None:
    """Check the whole store while it works: every job, queue, session, group and counter.

    Exit code 0: nothing is wrong, or all of it is repaired; 1: something is left; 2: it could not be checked.
    """
    from .doctor import as_json, as_text, error_as_json, run_doctor, unexamined

    try:
        report = run_doctor(_settings(), repair=repair, say=lambda line: click.echo(line, err=True))
    except (click.ClickException, StoreUnavailable, StoreTooNew) as error:
        why = unexamined(error)
        click.echo(f"Error: {why}", err=True)
        if json:
            click.echo(error_as_json(why))
        raise SystemExit(2) from error
    for line in [as_json(report)] if json else as_text(report):
        click.echo(line)
    raise SystemExit(1 if report.left else 0)


@main.command("new-actor")
@click.argument("name")
@click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the package it comes into; by default tasks, in the only package of this folder.",
)
def write_actor(name: str, folder: Path | None) -> None:
    """Write an actor of your own into this folder: its function, the actor and a test. Nothing is overwritten."""
    from . import registry
    from .broken_modules import ActorModuleFailed
    from .commands import base_url
    from .new_actor import CannotWrite, new_actor

    try:
        known = registry.load().actors
        written = new_actor(Path.cwd(), name, folder, known)
    except (ActorModuleFailed, CannotWrite) as error:
        raise click.ClickException(str(error)) from error
    for path in written.files:
        click.echo(f"Wrote {path.relative_to(Path.cwd())}")
    if written.to_add:
        click.echo(f"Add to {written.to_add.relative_to(Path.cwd())}: from . import {name}")
    modules = dict.fromkeys((*_settings().actor_modules, written.module))
    body = dumps({"actor": name, "args": {"name": "Ann"}})
    click.echo(
        f"""
Test it:     pytest        (pip install pytest, if it is not there)
Run it:      JOBS_ACTOR_MODULES={",".join(modules)} {_own_command("up")}
Ask for it:  curl -s {base_url(_settings())}/v1/jobs -H 'Content-Type: application/json' -H 'Prefer: wait=5' -d '{body}'
In Python:   from {written.module}.{name} import {name}; {name}.send("Ann")"""
    )


def _tell_server() -> None:
    """What is wrong with the server, in the log of a web process that starts, and will answer 503 or lose jobs."""
    from .check import examined_server
    from .store import Finding

    try:
        _tell(examined_server(_settings()))
    except StoreUnavailable as error:
        _tell([Finding("error", "redis", str(error))])


def _tell(findings: "list[Finding]") -> None:
    for each in findings:
        click.echo(f"{each.level.capitalize()}: {each.text}", err=True)


def _refuse_newer_data(given: "Settings") -> None:
    """When the server does not answer, the process waits for it, and ``/readyz`` looks again."""
    from .store import Store, connect

    with suppress(StoreUnavailable), connect(given.redis_url, retries=0) as client:
        Store(client, given.namespace).check_schema()


def _own_command(*arguments: str) -> str:
    """This program as it can be pasted into a shell, where it need not be on PATH."""
    program = Path(sys.argv[0]).absolute()
    shown = program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program
    return shlex.join([str(shown), *arguments])


def _settings() -> "Settings":
    from .settings import WrongSettings, settings

    try:
        return settings()
    except WrongSettings as error:
        raise click.ClickException(f"The settings are wrong.\n{error}") from error


if __name__ == "__main__":
    main()
