"""Which jobs a command is about: the options that say so."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ..jobs.states import State
from .command import show
from .completion import actor_name, queue_name
from .refusals import told

if TYPE_CHECKING:
    from ..client import Client

STATES = click.Choice([state.value for state in State])


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options by which jobs are found."""
    options = (
        click.option("--state", type=STATES),
        click.option("--queue", shell_complete=queue_name),
        click.option("--actor", shell_complete=actor_name),
        click.option("--tag"),
        click.option("--fingerprint", help="Of a group of `failures`."),
        click.option("--since", help="Created at this instant or later (RFC 3339)."),
        click.option("--until", help="Created before this instant (RFC 3339)."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def check_names(client: "Client", *, queue: str | None, actor: str | None) -> None:
    """Say it when nothing can be found because a name is unknown, with the nearest one."""
    from ..client import Problem

    for path in (queue and f"/v1/queues/{queue}", actor and f"/v1/actors/{actor}"):
        try:
            if path:
                show(client, path)
        except Problem as problem:
            click.echo(told(problem), err=True)
