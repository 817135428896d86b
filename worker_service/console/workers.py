"""``workers``: the processes that run jobs; told to take no more, or to stop."""

import click

from ..client import Client
from .command import as_json, asks, show
from .output import say_json, table


@click.group(invoke_without_command=True)
@click.pass_context
@as_json
def workers(context: click.Context, json_wanted: bool) -> None:
    """Worker processes: what they are and do; quiet, stop."""
    if context.invoked_subcommand is None:
        context.invoke(ls, json_wanted=json_wanted)


@workers.command("ls")
@as_json
@asks
def ls(client: Client, json_wanted: bool) -> None:
    """All worker processes, those heard of last first."""
    found = show(client, "/v1/workers")
    if json_wanted:
        say_json(found)
        return
    rows = [{**each, "queues": " ".join(each["queues"])} for each in found["items"]]
    table(("id", "state", "host", "pid", "version", "queues", "running", "threads", "opened at"), rows)


@workers.command("quiet")
@click.argument("id")
@as_json
@asks
def quiet(client: Client, id: str, json_wanted: bool) -> None:
    """Let a worker process take no more jobs; those it runs go on."""
    _tell(client, id, "quiet", json_wanted)


@workers.command("stop")
@click.argument("id")
@as_json
@asks
def stop(client: Client, id: str, json_wanted: bool) -> None:
    """Stop a worker process as SIGTERM does."""
    _tell(client, id, "stop", json_wanted)


def _tell(client: Client, id: str, what: str, json_wanted: bool) -> None:
    found = client.request("POST", f"/v1/workers/{id}/{what}")
    if json_wanted:
        say_json(found)
    else:
        click.echo(f"The worker {id} is told.")
