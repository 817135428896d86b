"""``schedules``: what is fired when; put, run, paused, backfilled and removed."""

import json
from typing import IO

import click

from ..client import Client
from .command import as_json, asks, show
from .output import fields, say_json, table, word


@click.group()
def schedules() -> None:
    """What is fired when; put, run, pause, backfill and remove it."""


@schedules.command("ls")
@as_json
@asks
def ls(client: Client, json_wanted: bool) -> None:
    """All schedules, by name."""
    found = show(client, "/v1/schedules")
    if json_wanted:
        say_json(found)
        return
    table(("name", "state", "source", "next tick", "last tick", "runs", "skipped", "missed"), found["items"])
    for each in found["items"]:
        if about := each.get("reason") or (each.get("paused") or {}).get("note") or each.get("hindered"):
            click.echo(f"{each['name']} is {each['state']}: {about}")


@schedules.command("show")
@click.argument("name")
@as_json
@asks
def show_one(client: Client, name: str, json_wanted: bool) -> None:
    """All about NAME."""
    found = show(client, f"/v1/schedules/{name}")
    if json_wanted:
        say_json(found)
    else:
        fields(found)


@schedules.command("put")
@click.argument("name")
@click.argument("definition", type=click.File())
@as_json
@asks
def put(client: Client, name: str, definition: IO[str], json_wanted: bool) -> None:
    """Create NAME, or replace its definition.

    DEFINITION is a file with the JSON object that PUT /v1/schedules/{name} takes, or - for what is typed or piped in:
    {"actor": "send_report", "cron": "0 2 * * *"}
    """
    try:
        wanted = json.load(definition)
    except ValueError as error:
        raise click.BadParameter(f"It is not JSON: {error}.", param_hint="DEFINITION") from error
    found = client.request("PUT", f"/v1/schedules/{name}", json=wanted)
    if json_wanted:
        say_json(found)
    else:
        click.echo(f"{name} is {found['state']}; next tick: {word(found['next_tick'])}.")


@schedules.command("delete")
@click.argument("name")
@as_json
@asks
def delete(client: Client, name: str, json_wanted: bool) -> None:
    """Remove NAME and its history; its jobs stay."""
    client.request("DELETE", f"/v1/schedules/{name}")
    if json_wanted:
        say_json({"name": name})
    else:
        click.echo(f"{name} is removed.")


@schedules.command("next")
@click.argument("name")
@click.option("--count", default=5, show_default=True, type=click.IntRange(1, 100))
@as_json
@asks
def show_next(client: Client, name: str, count: int, json_wanted: bool) -> None:
    """The next ticks of NAME, in the time of its zone."""
    found = show(client, f"/v1/schedules/{name}/next", count=count)
    if json_wanted:
        say_json(found)
        return
    for each in found["items"]:
        click.echo(each["local"])
    if not found["items"]:
        click.echo(f"No tick of {name} is to come.", err=True)


@schedules.command("run")
@click.argument("name")
@as_json
@asks
def run_now(client: Client, name: str, json_wanted: bool) -> None:
    """Create a job of NAME now."""
    found = client.request("POST", f"/v1/schedules/{name}/run")
    if json_wanted:
        say_json(found)
    else:
        click.echo(f"Job {found['id']}")


@schedules.command("backfill")
@click.argument("name")
@click.argument("begin", metavar="FROM")
@click.argument("end", metavar="TO")
@as_json
@asks
def backfill(client: Client, name: str, begin: str, end: str, json_wanted: bool) -> None:
    """Create the jobs of past ticks of NAME, each once: FROM and TO are instants such as 2026-01-31T12:00:00Z."""
    found = client.request("POST", f"/v1/schedules/{name}/backfill", json={"from": begin, "to": end})
    if json_wanted:
        say_json(found)
    else:
        table(("tick", "job", "created"), found["items"])


@schedules.command("history")
@click.argument("name")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500))
@as_json
@asks
def history(client: Client, name: str, limit: int, json_wanted: bool) -> None:
    """The newest ticks of NAME, and what became of them."""
    found = show(client, f"/v1/schedules/{name}/history", limit=limit)
    if json_wanted:
        say_json(found)
        return
    rows = [
        {**each, **{f"job_{key}": (each["job"] or {}).get(key) for key in ("id", "state")}}
        for each in found["items"]
    ]
    table(("tick", "at", "cause", "outcome", "count", "job id", "job state"), rows)


@schedules.command("pause")
@click.argument("name")
@click.option("--note", required=True, help="Why, for people.")
@as_json
@asks
def pause(client: Client, name: str, note: str, json_wanted: bool) -> None:
    """Fire no more ticks of NAME."""
    found = client.request("POST", f"/v1/schedules/{name}/pause", json={"note": note})
    if json_wanted:
        say_json(found)
    else:
        click.echo(f"{name} is {found['state']}.")


@schedules.command("resume")
@click.argument("name")
@as_json
@asks
def resume(client: Client, name: str, json_wanted: bool) -> None:
    """Fire the ticks of NAME again, from the next one on."""
    found = client.request("POST", f"/v1/schedules/{name}/resume")
    if json_wanted:
        say_json(found)
    else:
        click.echo(f"{name} is {found['state']}; next tick: {word(found['next_tick'])}.")
