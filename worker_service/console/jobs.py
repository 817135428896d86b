"""``jobs``: what became of them, and what is done to them; ``failures``: what dead ones have in common."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from ..client import Client, Event
from .command import as_json, asks, show
from .output import fields, say_json, table, word

COLUMNS = ("id", "actor", "queue", "state", "attempt", "created at", "reason")


@click.group()
def jobs() -> None:
    """Jobs: list, look at, follow, stop, put back, remove."""


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--state", help="queued, running, dead ..."),
        click.option("--queue"),
        click.option("--actor"),
        click.option("--tag"),
        click.option("--fingerprint", help="Of a group of `failures`."),
        click.option("--since", help="Created at this instant or later (RFC 3339)."),
        click.option("--until", help="Created before this instant (RFC 3339)."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@jobs.command("ls")
@_filters
@click.option("--q", help="A word in id, actor, queue, tags, arguments or error.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--cursor", help="Go on behind the last page.")
@as_json
@asks
def ls(client: Client, json_wanted: bool, **filters: Any) -> None:
    """Jobs, the newest first."""
    found = show(client, "/v1/jobs", **filters)
    if json_wanted:
        say_json(found)
        return
    table(COLUMNS, found["items"])
    if found["truncated"]:
        click.echo("The search ended at its bound; there may be more.", err=True)
    if found["next_cursor"]:
        click.echo(f"More: --cursor {found['next_cursor']}", err=True)


@jobs.command("show")
@click.argument("id")
@as_json
@asks
def show_one(client: Client, id: str, json_wanted: bool) -> None:
    """All that is known of a job."""
    found = show(client, f"/v1/jobs/{id}")
    (say_json if json_wanted else say_job)(found)


@jobs.command("explain")
@click.argument("id")
@as_json
@asks
def explain(client: Client, id: str, json_wanted: bool) -> None:
    """Why a job is not running, and when it will."""
    found = show(client, f"/v1/jobs/{id}/explain")
    (say_json if json_wanted else fields)(found)


@jobs.command("tail")
@click.argument("id")
@as_json
@asks
def tail(client: Client, id: str, json_wanted: bool) -> None:
    """Follow a job: its states, progress and log, until it has ended."""
    for event in client.events(id):
        if json_wanted:
            say_json({"event": event.kind, "data": event.data})
        else:
            click.echo(f"{event.kind:8}  {_told(event)}")


def _add_operation(name: str, about: str) -> None:
    @jobs.command(name, help=f"{about}: one, several, or all that match the options.")
    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @_filters
    @click.option("--dry-run", is_flag=True, help="Count them only.")
    @as_json
    @asks
    def operate(client: Client, ids: Sequence[str], dry_run: bool, json_wanted: bool, **filters: Any) -> None:
        _operate(client, name, ids, filters, dry_run=dry_run, json_wanted=json_wanted)


_add_operation("cancel", "Stop jobs")
_add_operation("retry", "Put dead or cancelled jobs back")
_add_operation("delete", "Remove finished jobs")


@jobs.command("run-now")
@click.argument("id")
@as_json
@asks
def run_now(client: Client, id: str, json_wanted: bool) -> None:
    """Start a job that waits for its time."""
    found = client.request("POST", f"/v1/jobs/{id}/run-now")
    if json_wanted:
        say_json(found)
    else:
        click.echo(f"Job {id} is {found['state']}.")


@click.command()
@as_json
@asks
def failures(client: Client, json_wanted: bool) -> None:
    """Dead jobs, in groups of the same actor, error and place."""
    found = show(client, "/v1/failures")
    if json_wanted:
        say_json(found)
        return
    for each in found["items"]:
        each["error"] = (each["error"] or {}).get("type") or each["reason"]
    table(("fingerprint", "count", "actor", "error", "first at", "last at", "newest"), found["items"])


def say_job(found: dict[str, Any]) -> None:
    """A job for people: its fields, then how each attempt ended."""
    attempts, error = found["attempts"], found["error"]
    fields({name: value for name, value in found.items() if name not in ("attempts", "error")})
    for each in attempts:
        how = f"{each['outcome']} at {word(each['ended_at'])} on {each['worker']}"
        click.echo(f"attempt {each['number']}: {how} {(each['error'] or {}).get('message', '')}".rstrip())
    if error:
        click.echo(f"{error['type']}: {error['message']}")
        if error.get("traceback"):
            click.echo(error["traceback"].rstrip())


def _operate(
    client: Client,
    operation: str,
    ids: Sequence[str],
    filters: dict[str, Any],
    *,
    dry_run: bool,
    json_wanted: bool,
) -> None:
    given = {name: value for name, value in filters.items() if value is not None}
    if bool(ids) == bool(given):
        raise click.UsageError("Give ids, or options that say which jobs.")
    if len(ids) == 1 and not dry_run:
        found = _operate_on_one(client, operation, ids[0])
    else:
        which = {"ids": list(ids)} if ids else {"filter": given}
        found = client.request("POST", f"/v1/jobs:{operation}", json={**which, "dry_run": dry_run})
        if not dry_run:
            found = client.wait(found["id"]).raw
    if json_wanted:
        say_json(found)
    elif dry_run:
        more = " or more" if found["truncated"] else ""
        click.echo(f"{found['matched']}{more} jobs match.")
    elif found is None:
        click.echo(f"Job {ids[0]} is removed.")
    elif len(ids) == 1:
        click.echo(f"Job {found['id']} is {found['state']}.")
    else:
        _say_many(found)


def _operate_on_one(client: Client, operation: str, id: str) -> Any:
    if operation == "delete":
        client.delete(id)
        return None
    return client.request("POST", f"/v1/jobs/{id}/{operation}")


def _say_many(found: dict[str, Any]) -> None:
    """What the job that did it says of the others."""
    if found["state"] != "succeeded":
        raise click.ClickException(f"The job {found['id']}, which does it, is {found['state']}.")
    result = found["result"]
    click.echo(f"{result['done']} of {result['matched']} jobs.")
    for reason, number in result["skipped"].items():
        click.echo(f"{number} left alone: {reason}")


def _told(event: Event) -> str:
    if isinstance(event.data, dict):
        return "  ".join(f"{name}={word(value)}" for name, value in event.data.items() if value is not None)
    return word(event.data)
