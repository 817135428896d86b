"""``actors``: which work there is, and with which arguments."""

import click

from ..client import Client
from .command import as_json, asks, show
from .output import fields, say_json, table


@click.group()
def actors() -> None:
    """The actors that jobs may ask for."""


@actors.command("ls")
@as_json
@asks
def ls(client: Client, json_wanted: bool) -> None:
    """All actors, by name."""
    found = show(client, "/v1/actors")
    if json_wanted:
        say_json(found)
        return
    rows = [{**each, "args": ", ".join(each["args"].get("properties", {}))} for each in found["items"]]
    table(("name", "queue", "max attempts", "time limit ms", "args"), rows)


@actors.command("show")
@click.argument("name")
@as_json
@asks
def show_one(client: Client, name: str, json_wanted: bool) -> None:
    """What NAME does, and the schema of its arguments."""
    found = show(client, f"/v1/actors/{name}")
    (say_json if json_wanted else fields)(found)
