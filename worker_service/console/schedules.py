"""``schedules``: what is fired when; put, run, paused, backfilled and removed."""

import json
from typing import IO, TYPE_CHECKING, Any

import click

from .backfilling import backfilled, has_too_many
from .command import answers, as_json, asks, show
from .completion import schedule_name
from .output import fields, say_json, table, word
from .refusals import told

if TYPE_CHECKING:
    from ..client import Client

by_name = click.argument("name", shell_complete=schedule_name)


@click.group()
def schedules() -> None:
    """What is fired when; put, run, pause, backfill and remove it."""


def _say_schedules(found: dict[str, Any]) -> None:
    table(("name", "state", "source", "next tick", "last tick", "runs", "skipped", "missed"), found["items"])
    for each in found["items"]:
        if about := each.get("reason") or (each.get("paused") or {}).get("note") or each.get("hindered"):
            click.echo(f"{each['name']} is {each['state']}: {about}")


def _say_state(found: dict[str, Any]) -> None:
    click.echo(f"{found['name']} is {found['state']}.")


def _say_next_tick(found: dict[str, Any]) -> None:
    click.echo(f"{found['name']} is {found['state']}; next tick: {word(found['next_tick'])}.")


@schedules.command("ls")
@answers(_say_schedules)
def ls(client: "Client") -> Any:
    """All schedules, by name."""
    return show(client, "/v1/schedules")


@schedules.command("show")
@by_name
@answers(fields)
def show_one(client: "Client", name: str) -> Any:
    """All about NAME."""
    return show(client, f"/v1/schedules/{name}")


@schedules.command("put")
@by_name
@click.argument("definition", type=click.File())
@answers(_say_next_tick)
def put(client: "Client", name: str, definition: IO[str]) -> Any:
    """Create NAME, or replace its definition.

    DEFINITION is a file with the JSON object that PUT /v1/schedules/{name} takes, or - for what is typed or piped in:
    {"actor": "send_report", "cron": "0 2 * * *"}
    """
    try:
        wanted = json.load(definition)
    except ValueError as error:
        raise click.BadParameter(f"It is not JSON: {error}.", param_hint="DEFINITION") from error
    return client.request("PUT", f"/v1/schedules/{name}", json=wanted)


def _say_removed(found: dict[str, Any]) -> None:
    click.echo(f"{found['name']} is removed.")


@schedules.command("delete")
@by_name
@answers(_say_removed)
def delete(client: "Client", name: str) -> Any:
    """Remove NAME and its history; its jobs stay."""
    client.request("DELETE", f"/v1/schedules/{name}")
    return {"name": name}


def _say_coming(found: dict[str, Any]) -> None:
    for each in found["items"]:
        click.echo(each["local"])
    if not found["items"]:
        click.echo("No tick is to come.", err=True)


@schedules.command("next")
@by_name
@click.option("--count", default=5, show_default=True, type=click.IntRange(1, 100))
@answers(_say_coming)
def show_next(client: "Client", name: str, count: int) -> Any:
    """The next ticks of NAME, in the time of its zone."""
    return show(client, f"/v1/schedules/{name}/next", count=count)


def _say_made(found: dict[str, Any]) -> None:
    click.echo(f"Job {found['id']}")


@schedules.command("run")
@by_name
@answers(_say_made)
def run_now(client: "Client", name: str) -> Any:
    """Create a job of NAME now."""
    return client.request("POST", f"/v1/schedules/{name}/run")


@schedules.command("backfill")
@by_name
@click.argument("begin", metavar="FROM")
@click.argument("end", metavar="TO")
@click.option("--all", "all_of_them", is_flag=True, help="Also of more than 1,000 ticks.")
@as_json
@asks
def backfill(client: "Client", name: str, begin: str, end: str, all_of_them: bool, json_wanted: bool) -> None:
    """Create the jobs of past ticks of NAME, each once: FROM and TO are instants such as 2026-01-31T12:00:00Z.

    After Ctrl-C the same command goes on.
    """
    if all_of_them:
        items = backfilled(client, name, begin, end, quiet=json_wanted)
    else:
        items = _backfilled_at_once(client, name, begin, end)
    if json_wanted:
        say_json({"items": items})
    else:
        table(("tick", "job", "created"), items)


def _backfilled_at_once(client: "Client", name: str, begin: str, end: str) -> Any:
    from ..client import Problem

    try:
        found = client.request("POST", f"/v1/schedules/{name}/backfill", json={"from": begin, "to": end})
    except Problem as problem:
        if has_too_many(problem):
            raise click.ClickException(f"{told(problem)}\nIf you mean them all: --all") from problem
        raise
    return found["items"]


def _say_history(found: dict[str, Any]) -> None:
    rows = [
        {**each, **{f"job_{key}": (each["job"] or {}).get(key) for key in ("id", "state")}}
        for each in found["items"]
    ]
    table(("tick", "at", "cause", "outcome", "count", "job id", "job state"), rows)


@schedules.command("history")
@by_name
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500))
@answers(_say_history)
def history(client: "Client", name: str, limit: int) -> Any:
    """The newest ticks of NAME, and what became of them."""
    return show(client, f"/v1/schedules/{name}/history", limit=limit)


@schedules.command("pause")
@by_name
@click.option("--note", required=True, help="Why, for people.")
@answers(_say_state)
def pause(client: "Client", name: str, note: str) -> Any:
    """Fire no more ticks of NAME."""
    return client.request("POST", f"/v1/schedules/{name}/pause", json={"note": note})


@schedules.command("resume")
@by_name
@answers(_say_next_tick)
def resume(client: "Client", name: str) -> Any:
    """Fire the ticks of NAME again, from the next one on."""
    return client.request("POST", f"/v1/schedules/{name}/resume")
