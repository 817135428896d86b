"""``schedules``: what is fired when; run, paused and resumed."""

import click

from ..client import Client
from .command import as_json, asks, show
from .output import say_json, table, word


@click.group()
def schedules() -> None:
    """What is fired when; run, pause and resume it."""


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
        if about := each.get("reason") or (each.get("paused") or {}).get("note"):
            click.echo(f"{each['name']} is {each['state']}: {about}")


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
