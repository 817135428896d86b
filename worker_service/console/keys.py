"""``keys``: who may ask over HTTP, and for what."""

import re
from typing import Any

import click

from ..api.scopes import Scope
from ..client import Client
from .command import as_json, asks, show
from .output import say_json, table

_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def _milliseconds(_: Any, __: Any, value: str | None) -> int | None:
    """Read ``90s``, ``30m``, ``12h`` or ``30d``."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,9})([smhd])", value)
    if found is None:
        raise click.BadParameter(f"{value!r}: write it as in 90s, 30m, 12h or 30d")
    return int(found[1]) * _UNITS_MS[found[2]]


@click.group()
def keys() -> None:
    """Keys for programs and people that ask over HTTP."""


@keys.command("ls")
@as_json
@asks
def ls(client: Client, json_wanted: bool) -> None:
    """All keys, the oldest first, without their secrets."""
    found = show(client, "/v1/keys")
    if json_wanted:
        say_json(found)
        return
    rows = [
        {**each, "scopes": ",".join(each["scopes"]), "actors": ",".join(each["actors"] or ["all"])}
        for each in found["items"]
    ]
    table(("id", "scopes", "actors", "expires at", "used at", "name"), rows)


@keys.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; repeatable.",
)
@click.option("--actor", "actors", multiple=True, help="The only actors it may run; repeatable.")
@click.option(
    "--jobs-per-minute", type=click.IntRange(1), help="How many jobs it may hand in; by default any number."
)
@click.option("--requests-per-minute", type=click.IntRange(1), help="Or how many requests of any kind.")
@click.option("--expires-in", callback=_milliseconds, help="As in 12h or 30d; by default never.")
@as_json
@asks
def add(
    client: Client,
    name: str,
    scopes: tuple[str, ...],
    actors: tuple[str, ...],
    jobs_per_minute: int | None,
    requests_per_minute: int | None,
    expires_in: int | None,
    json_wanted: bool,
) -> None:
    """Make a key called NAME, and show its secret this once."""
    wanted: dict[str, Any] = {"name": name, "scopes": scopes}
    if actors:
        wanted["actors"] = actors
    if jobs_per_minute and requests_per_minute:
        raise click.UsageError("Give --jobs-per-minute or --requests-per-minute, not both.")
    if jobs_per_minute or requests_per_minute:
        unit = "jobs" if jobs_per_minute else "requests"
        wanted["quota"] = {"of": unit, "per_minute": jobs_per_minute or requests_per_minute}
    if expires_in is not None:
        wanted["expires_in_ms"] = expires_in
    _show_secret(client.request("POST", "/v1/keys", json=wanted), json_wanted)


@keys.command("rotate")
@click.argument("id")
@click.option(
    "--overlap", default="0s", callback=_milliseconds, help="How long the old secret is taken too: 1h."
)
@as_json
@asks
def rotate(client: Client, id: str, overlap: int, json_wanted: bool) -> None:
    """Give the key ID another secret, and show it this once."""
    found = client.request("POST", f"/v1/keys/{id}/rotate", json={"overlap_ms": overlap})
    _show_secret(found, json_wanted)


@keys.command("revoke")
@click.argument("id")
@as_json
@asks
def revoke(client: Client, id: str, json_wanted: bool) -> None:
    """Remove the key ID: within 5 s no process takes it."""
    client.request("DELETE", f"/v1/keys/{id}")
    if json_wanted:
        say_json({"id": id, "state": "revoked"})
    else:
        click.echo(f"The key {id} is revoked.")


def _show_secret(made: dict[str, Any], json_wanted: bool) -> None:
    """Alone on stdout, so that a script may keep it."""
    if json_wanted:
        say_json(made)
    else:
        click.echo(f"The key {made['id']}; its secret is shown only now:", err=True)
        click.echo(made["key"])
