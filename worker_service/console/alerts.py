"""``alerts``: what needs somebody now."""

from typing import TYPE_CHECKING, Any

import click

from .command import as_json, asks, show
from .output import say_json, table

if TYPE_CHECKING:
    from ..client import Client


@click.command()
@as_json
@asks
def alerts(client: "Client", json_wanted: bool) -> None:
    """What needs somebody now; docs/deploy.md says under each name what to do.

    The exit code is 1 when something does.
    """
    found: list[dict[str, Any]] = show(client, "/v1/alerts")["items"]
    if json_wanted:
        say_json({"items": found})
    elif found:
        table(("severity", "name", "text"), found)
    else:
        click.echo("Nothing.")
    if found:
        raise SystemExit(1)
