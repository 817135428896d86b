"""The command line's front door."""

import os

import click

from . import __version__
from .check import Unhealthy, check_web, check_worker
from .embedded import EmbeddedServerError
from .jobs.errors import StoreUnavailable
from .settings import Settings, WrongSettings, settings
from .up import AddressUnusable, base_url, up, web_command, worker_command


@click.group()
@click.version_option(__version__)
def main() -> None:
    """A background-job service: POST a job over HTTP, workers run it."""


@main.command("up")
def run_all() -> None:
    """Start web, a worker and, when no JOBS_REDIS_URL is set, an embedded server; Ctrl-C stops all."""
    try:
        raise SystemExit(up(_settings()))
    except (AddressUnusable, EmbeddedServerError, StoreUnavailable) as error:
        raise click.ClickException(str(error)) from error


@main.command("web")
def run_web() -> None:
    """Start the web process alone."""
    try:
        command = web_command(_settings())
    except AddressUnusable as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Listening at {base_url(_settings())}", err=True)
    os.execv(command[0], command)


@main.command("worker", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_worker(arguments: tuple[str, ...]) -> None:
    """Start a worker alone; ARGUMENTS are those of the dramatiq command."""
    _settings()
    command = worker_command(arguments)
    os.execv(command[0], command)


@main.command("check")
@click.argument("part", type=click.Choice(["web", "worker"]))
def check_part(part: str) -> None:
    """Whether the web process or a worker of this host does its work; the exit code is 0 then."""
    try:
        (check_web if part == "web" else check_worker)(_settings())
    except (Unhealthy, StoreUnavailable) as error:
        raise click.ClickException(str(error)) from error


def _settings() -> Settings:
    try:
        return settings()
    except WrongSettings as error:
        raise click.ClickException(f"The settings are wrong.\n{error}") from error


if __name__ == "__main__":
    main()
