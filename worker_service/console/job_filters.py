"""Which jobs a command is about: the options that say so."""

from collections.abc import Callable
from typing import Any

import click

from ..jobs.states import State
from .completion import actor_name, queue_name

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
