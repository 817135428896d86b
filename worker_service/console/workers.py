"""``workers``: the processes that run jobs; told to take no more, or to stop."""

from typing import TYPE_CHECKING, Any

import click

from .command import answers, as_json, show
from .completion import worker_id
from .output import fields, table

if TYPE_CHECKING:
    from ..client import Client


@click.group(invoke_without_command=True)
@click.pass_context
@as_json
def workers(context: click.Context, json_wanted: bool) -> None:
    """Worker processes: what they are and do; show, quiet, stop."""
    if context.invoked_subcommand is None:
        context.invoke(ls, json_wanted=json_wanted)


def _say_workers(found: dict[str, Any]) -> None:
    rows = [{**each, "queues": " ".join(each["queues"])} for each in found["items"]]
    table(("id", "state", "host", "pid", "version", "queues", "running", "threads", "opened at"), rows)


def _say_told(found: dict[str, Any]) -> None:
    click.echo(f"The worker {found['id']} is told.")


@workers.command("ls")
@answers(_say_workers)
def ls(client: "Client") -> Any:
    """All worker processes, those heard of last first."""
    return show(client, "/v1/workers")


def _say_worker(found: dict[str, Any]) -> None:
    fields({name: value for name, value in found.items() if name not in ("jobs", "actors", "truncated")})
    if found["jobs"]:
        click.echo()
        table(("id", "actor", "queue", "started at", "running ms", "time limit ms"), found["jobs"])


@workers.command("show")
@click.argument("id", shell_complete=worker_id)
@answers(_say_worker)
def show_one(client: "Client", id: str) -> Any:
    """What a worker process is, and what it runs since when."""
    return show(client, f"/v1/workers/{id}")


@workers.command("quiet")
@click.argument("id", shell_complete=worker_id)
@answers(_say_told)
def quiet(client: "Client", id: str) -> Any:
    """Let a worker process take no more jobs; those it runs go on."""
    return client.request("POST", f"/v1/workers/{id}/quiet")


@workers.command("stop")
@click.argument("id", shell_complete=worker_id)
@answers(_say_told)
def stop(client: "Client", id: str) -> Any:
    """Stop a worker process as SIGTERM does."""
    return client.request("POST", f"/v1/workers/{id}/stop")
