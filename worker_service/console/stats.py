"""``stats``: the numbers that autoscalers ask for."""

from typing import TYPE_CHECKING, Any

import click

from .command import answers, show
from .output import fields

if TYPE_CHECKING:
    from ..client import Client


@click.command()
@answers(fields)
def stats(client: "Client") -> Any:
    """Depth of queues, running and dead jobs, workers, schedulers."""
    return show(client, "/v1/stats")
