"""``actors``: which work there is, and with which arguments."""

from typing import TYPE_CHECKING, Any

import click

from .command import answers, show
from .completion import actor_name
from .output import fields, table

if TYPE_CHECKING:
    from ..client import Client


@click.group()
def actors() -> None:
    """The actors that jobs may ask for."""


def _say_actors(found: dict[str, Any]) -> None:
    rows = [{**each, "args": ", ".join(each["args"].get("properties", {}))} for each in found["items"]]
    table(("name", "queue", "max attempts", "time limit ms", "args"), rows)


@actors.command("ls")
@answers(_say_actors)
def ls(client: "Client") -> Any:
    """All actors, by name."""
    return show(client, "/v1/actors")


@actors.command("show")
@click.argument("name", shell_complete=actor_name)
@answers(fields)
def show_one(client: "Client", name: str) -> Any:
    """What NAME does, and the schema of its arguments."""
    return show(client, f"/v1/actors/{name}")
