"""What all commands share: how they fail, and ``--json``."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from ..broken_modules import ActorModuleFailed
from ..client import Client, ClientError, NoAnswer
from ..jobs.errors import StoreTooNew
from ..settings import WrongSettings
from .service import service

as_json = click.option("--json", "json_wanted", is_flag=True, help="Tell it to a program.")

NOT_ASKED = 2
"""Exit code when the store or the settings did not let us ask."""


def asks(fn: Callable[..., None]) -> Callable[..., None]:
    """Give a command the service as its first argument, and end it with the exit codes of this package."""

    @wraps(fn)
    def command(**arguments: Any) -> None:
        try:
            with service() as client:
                fn(client, **arguments)
        except (ActorModuleFailed, StoreTooNew, WrongSettings, NoAnswer) as error:
            click.echo(f"Error: {error}", err=True)
            raise SystemExit(NOT_ASKED) from error
        except ClientError as error:
            raise click.ClickException(_told(error)) from error

    return command


def _told(error: ClientError) -> str:
    return getattr(error, "detail", "") or str(error)


def show(client: Client, path: str, **query: Any) -> Any:
    """What a GET answers."""
    return client.request(
        "GET", path, query={name: value for name, value in query.items() if value is not None}
    )
