"""``keys``: who may ask over HTTP, and for what."""

import re
from typing import TYPE_CHECKING, Any

import click

from ..api.scopes import Scope
from .command import answers, show
from .completion import actor_name
from .output import table

if TYPE_CHECKING:
    from ..client import Client

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


def _say_keys(found: dict[str, Any]) -> None:
    rows = [
        {**each, "scopes": ",".join(each["scopes"]), "actors": ",".join(each["actors"] or ["all"])}
        for each in found["items"]
    ]
    table(("id", "scopes", "actors", "expires at", "used at", "name"), rows)


def _say_secret(made: dict[str, Any]) -> None:
    """Alone on stdout, so that a script may keep it."""
    click.echo(f"The key {made['id']}; its secret is shown only now:", err=True)
    click.echo(made["key"])


def _say_revoked(found: dict[str, Any]) -> None:
    click.echo(f"The key {found['id']} is revoked.")


@keys.command("ls")
@answers(_say_keys)
def ls(client: "Client") -> Any:
    """All keys, the oldest first, without their secrets."""
    return show(client, "/v1/keys")


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
@click.option(
    "--actor",
    "actors",
    multiple=True,
    shell_complete=actor_name,
    help="The only actors it may run; repeatable.",
)
@click.option(
    "--jobs-per-minute", type=click.IntRange(1), help="How many jobs it may hand in; by default any number."
)
@click.option("--requests-per-minute", type=click.IntRange(1), help="Or how many requests of any kind.")
@click.option("--expires-in", callback=_milliseconds, help="As in 12h or 30d; by default never.")
@answers(_say_secret)
def add(
    client: "Client",
    name: str,
    scopes: tuple[str, ...],
    actors: tuple[str, ...],
    jobs_per_minute: int | None,
    requests_per_minute: int | None,
    expires_in: int | None,
) -> Any:
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
    return client.request("POST", "/v1/keys", json=wanted)


@keys.command("rotate")
@click.argument("id")
@click.option(
    "--overlap", default="0s", callback=_milliseconds, help="How long the old secret is taken too: 1h."
)
@answers(_say_secret)
def rotate(client: "Client", id: str, overlap: int) -> Any:
    """Give the key ID another secret, and show it this once."""
    return client.request("POST", f"/v1/keys/{id}/rotate", json={"overlap_ms": overlap})


@keys.command("revoke")
@click.argument("id")
@answers(_say_revoked)
def revoke(client: "Client", id: str) -> Any:
    """Remove the key ID: within 5 s no process takes it."""
    client.request("DELETE", f"/v1/keys/{id}")
    return {"id": id, "state": "revoked"}
