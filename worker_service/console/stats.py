"""``stats``: the numbers that autoscalers ask for."""

import click

from ..client import Client
from .command import as_json, asks, show
from .output import fields, say_json


@click.command()
@as_json
@asks
def stats(client: Client, json_wanted: bool) -> None:
    """Depth of queues, running and dead jobs, workers, schedulers."""
    found = show(client, "/v1/stats")
    (say_json if json_wanted else fields)(found)
