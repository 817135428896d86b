"""``queues``: what waits in them; paused, resumed, emptied."""

from typing import TYPE_CHECKING, Any

import click

from .bulk import result_of
from .command import answers, as_json, asks, show
from .completion import queue_name
from .output import say_json, table
from .progress import followed

if TYPE_CHECKING:
    from ..client import Client

by_name = click.argument("name", shell_complete=queue_name)


@click.group()
def queues() -> None:
    """Queues: what waits in them; pause, resume, purge."""


def _say_queues(found: dict[str, Any]) -> None:
    rows = [{**each, "paused": (each["paused"] or {}).get("reason")} for each in found["items"]]
    table(("name", "queued", "scheduled or retrying", "oldest ms", "paused"), rows)


def _say_state(found: dict[str, Any]) -> None:
    click.echo(f"The queue {found['name']} is {found['state']}.")


@queues.command("ls")
@answers(_say_queues)
def ls(client: "Client") -> Any:
    """All queues, by name."""
    return show(client, "/v1/queues")


@queues.command("pause")
@by_name
@click.option("--reason", required=True, help="Why, for people.")
@click.option("--until", help="Go on by itself at this instant (RFC 3339).")
@answers(_say_state)
def pause(client: "Client", name: str, reason: str, until: str | None) -> Any:
    """Start no more jobs of NAME; what runs goes on."""
    wanted: dict[str, Any] = {"reason": reason, **({"until": until} if until else {})}
    client.request("POST", f"/v1/queues/{name}/pause", json=wanted)
    return {"name": name, "state": "paused"}


@queues.command("resume")
@by_name
@answers(_say_state)
def resume(client: "Client", name: str) -> Any:
    """Start jobs of NAME again."""
    client.request("POST", f"/v1/queues/{name}/resume")
    return {"name": name, "state": "resumed"}


@queues.command("purge")
@by_name
@click.option(
    "--confirm", prompt="To cancel all jobs that wait in it, type the queue's name", help="Its name again."
)
@as_json
@asks
def purge(client: "Client", name: str, confirm: str, json_wanted: bool) -> None:
    """Cancel all jobs that wait in NAME."""
    found = client.request("POST", f"/v1/queues/{name}/purge", json={"confirm": confirm})
    if json_wanted:
        say_json(found)
        return
    cancelled = found["cancelled"]
    if found["rest"]:
        cancelled += result_of(followed(client, found["rest"]["id"], quiet=False))["done"]
    click.echo(f"The queue {name} is purged: {cancelled} jobs are cancelled.")
