"""``ping``, ``config`` and ``openapi``: whether the service works, how it is set up, what it understands."""

import time
from typing import TYPE_CHECKING

import click

from .command import NOT_ASKED, as_json, asks, show
from .output import fields, say_json

if TYPE_CHECKING:
    from ..client import Client


@click.command()
@as_json
@asks
def ping(client: "Client", json_wanted: bool) -> None:
    """Whether the store answers, how fast, and how many workers and schedulers live.

    The exit code is 1 when no worker does.
    """
    from ..settings import settings
    from ..store import shown_url

    show(client, "/readyz")  # the first one opens the connection
    began = time.perf_counter()
    show(client, "/readyz")
    round_trip_ms = round((time.perf_counter() - began) * 1000, 1)
    stats = show(client, "/v1/stats")
    found = {
        "store": shown_url(settings().redis_url),
        "round_trip_ms": round_trip_ms,
        "workers": stats["workers"],
        "schedulers": stats["schedulers"],
    }
    (say_json if json_wanted else fields)(found)
    if not stats["workers"]:
        click.echo("No worker process lives: start one with `worker-service worker`.", err=True)
        raise SystemExit(1)


@click.command()
@as_json
def config(json_wanted: bool) -> None:
    """The settings in force, without what is secret."""
    from ..settings import WrongSettings, settings

    try:
        found = {name: _shown(name, value) for name, value in settings()}
    except WrongSettings as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(NOT_ASKED) from error
    if json_wanted:
        say_json(found)
        return
    for name, value in found.items():
        click.echo(f"JOBS_{name.upper()}={value}")


@click.command()
@asks
def openapi(client: "Client") -> None:
    """The OpenAPI document of the HTTP interface, with the actors of this service."""
    say_json(show(client, "/openapi.json"))


def _shown(name: str, value: object) -> object:
    from pydantic import SecretStr

    from ..store import shown_url

    if isinstance(value, SecretStr):
        return "***"
    if name == "redis_url":
        return shown_url(str(value))
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)
