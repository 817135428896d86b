"""``queues``: what waits in them; paused, resumed, emptied."""

from typing import Any

import click

from ..client import Client
from .command import as_json, asks, show
from .output import say_json, table


@click.group()
def queues() -> None:
    """Queues: what waits in them; pause, resume, purge."""


@queues.command("ls")
@as_json
@asks
def ls(client: Client, json_wanted: bool) -> None:
    """All queues, by name."""
    found = show(client, "/v1/queues")
    if json_wanted:
        say_json(found)
        return
    rows = [{**each, "paused": (each["paused"] or {}).get("reason")} for each in found["items"]]
    table(("name", "queued", "scheduled or retrying", "oldest ms", "paused"), rows)


@queues.command("pause")
@click.argument("name")
@click.option("--reason", required=True, help="Why, for people.")
@click.option("--until", help="Go on by itself at this instant (RFC 3339).")
@as_json
@asks
def pause(client: Client, name: str, reason: str, until: str | None, json_wanted: bool) -> None:
    """Start no more jobs of NAME; what runs goes on."""
    wanted: dict[str, Any] = {"reason": reason, **({"until": until} if until else {})}
    client.request("POST", f"/v1/queues/{name}/pause", json=wanted)
    _say(json_wanted, name, "paused")


@queues.command("resume")
@click.argument("name")
@as_json
@asks
def resume(client: Client, name: str, json_wanted: bool) -> None:
    """Start jobs of NAME again."""
    client.request("POST", f"/v1/queues/{name}/resume")
    _say(json_wanted, name, "resumed")


@queues.command("purge")
@click.argument("name")
@click.option(
    "--confirm", prompt="To cancel all jobs that wait in it, type the queue's name", help="Its name again."
)
@as_json
@asks
def purge(client: Client, name: str, confirm: str, json_wanted: bool) -> None:
    """Cancel all jobs that wait in NAME."""
    found = client.request("POST", f"/v1/queues/{name}/purge", json={"confirm": confirm})
    if json_wanted:
        say_json(found)
    else:
        click.echo(f"The queue {name} is purged.")


def _say(json_wanted: bool, name: str, what: str) -> None:
    if json_wanted:
        say_json({"name": name, "state": what})
    else:
        click.echo(f"The queue {name} is {what}.")
