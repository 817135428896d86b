"""``worker-service schedules``: the schedules for people at a terminal; the same functions as the HTTP interface.

Exit code 0: done; 1: refused, or there is no such schedule; 2: the store or the settings did not let us ask.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from . import registry
from .api.schedule_json import coming_json, entry_json, schedule_json
from .broken_modules import ActorModuleFailed
from .broker.schedules import Timetable
from .jobs.errors import StoreTooNew, StoreUnavailable, WorkerServiceError
from .settings import WrongSettings, settings

as_json = click.option("--json", "json_wanted", is_flag=True, help="Tell it to a program.")
NONE = "-"


@click.group("schedules")
def schedules_command() -> None:
    """What is fired when; run, pause and resume it."""


def _command(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that gets the timetable first, and ends with the exit codes above."""

    def decorate(fn: Callable[..., None]) -> Callable[..., None]:
        @wraps(fn)
        def command(**arguments: Any) -> None:
            try:
                fn(Timetable(registry.load(), settings().timezone), **arguments)
            except (ActorModuleFailed, StoreTooNew, StoreUnavailable, WrongSettings) as error:
                click.echo(f"Error: {error}", err=True)
                raise SystemExit(2) from error
            except WorkerServiceError as error:
                raise click.ClickException(str(error)) from error

        return schedules_command.command(name)(command)

    return decorate


@_command("ls")
@as_json
def list_all(timetable: Timetable, json_wanted: bool) -> None:
    """All schedules, by name."""
    found: list[dict[str, Any]] = [dict(schedule_json(each)) for each in timetable.all()]
    if json_wanted:
        click.echo(json.dumps({"items": found}))
        return
    heads = ("name", "state", "source", "next tick", "last tick", "runs", "skipped", "missed")
    _table([heads, *(tuple(_word(each.get(head.replace(" ", "_"))) for head in heads) for each in found)])
    for each in found:
        if about := each.get("reason") or (each.get("paused") or {}).get("note"):
            click.echo(f"{each['name']} is {each['state']}: {about}")


@_command("next")
@click.argument("name")
@click.option("--count", default=5, show_default=True, type=click.IntRange(1, 100))
@as_json
def show_next(timetable: Timetable, name: str, count: int, json_wanted: bool) -> None:
    """The next ticks of NAME, in the time of its zone."""
    found = timetable.coming(name, count)
    if json_wanted:
        click.echo(json.dumps({"items": coming_json(found)}))
        return
    for each in found:
        click.echo(each.local)
    if not found:
        click.echo(f"No tick of {name} is to come.", err=True)


@_command("run")
@click.argument("name")
@as_json
def run_now(timetable: Timetable, name: str, json_wanted: bool) -> None:
    """Create a job of NAME now."""
    id = timetable.run(name)
    click.echo(json.dumps({"job": id}) if json_wanted else f"Job {id}")


@_command("pause")
@click.argument("name")
@click.option("--note", required=True, help="Why, for people.")
@as_json
def pause(timetable: Timetable, name: str, note: str, json_wanted: bool) -> None:
    """Fire no more ticks of NAME."""
    entry = timetable.pause(name, note)
    click.echo(json.dumps(entry_json(entry)) if json_wanted else f"{name} is {entry.state}.")


@_command("resume")
@click.argument("name")
@as_json
def resume(timetable: Timetable, name: str, json_wanted: bool) -> None:
    """Fire the ticks of NAME again, from the next one on."""
    shown = entry_json(timetable.resume(name))
    if json_wanted:
        click.echo(json.dumps(shown))
    else:
        click.echo(f"{name} is {shown['state']}; next tick: {_word(shown['next_tick'])}.")


def _word(value: Any) -> str:
    return NONE if value is None else str(value)


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())
