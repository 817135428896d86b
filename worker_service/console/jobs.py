"""``jobs``: what became of them, and what is done to one; ``failures``: what dead ones have in common."""

from typing import TYPE_CHECKING, Any

import click

from .bulk import bulk_commands
from .command import answers, show
from .following import tail
from .job_filters import check_names, filters
from .output import fields, table, word

if TYPE_CHECKING:
    from ..client import Client

COLUMNS = ("id", "actor", "queue", "state", "attempt", "created at", "reason")


@click.group()
def jobs() -> None:
    """Jobs: list, look at, follow, stop, put back, remove."""


jobs.add_command(tail)
for each in bulk_commands():
    jobs.add_command(each)


def _say_page(found: dict[str, Any]) -> None:
    if found["items"]:
        table(COLUMNS, found["items"])
    else:
        click.echo("No job found.", err=True)
    if found["truncated"]:
        click.echo("The search ended at its bound; there may be more.", err=True)
    if found["next_cursor"]:
        click.echo(f"More: --cursor {found['next_cursor']}", err=True)


@jobs.command("ls")
@filters
@click.option("--q", help="A word in id, actor, queue, tags, arguments or error.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--cursor", help="Go on behind the last page.")
@answers(_say_page)
def ls(client: "Client", **filters: Any) -> Any:
    """Jobs, the newest first."""
    found = show(client, "/v1/jobs", **filters)
    if not found["items"]:
        check_names(client, queue=filters["queue"], actor=filters["actor"])
    return found


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


@jobs.command("show")
@click.argument("id")
@answers(say_job)
def show_one(client: "Client", id: str) -> Any:
    """All that is known of a job."""
    return show(client, f"/v1/jobs/{id}")


@jobs.command("explain")
@click.argument("id")
@answers(fields)
def explain(client: "Client", id: str) -> Any:
    """Why a job is not running, and when it will."""
    return show(client, f"/v1/jobs/{id}/explain")


def _say_state(found: dict[str, Any]) -> None:
    click.echo(f"Job {found['id']} is {found['state']}.")


@jobs.command("run-now")
@click.argument("id")
@answers(_say_state)
def run_now(client: "Client", id: str) -> Any:
    """Start a job that waits for its time."""
    return client.request("POST", f"/v1/jobs/{id}/run-now")


def _say_failures(found: dict[str, Any]) -> None:
    rows = [{**each, "error": (each["error"] or {}).get("type") or each["reason"]} for each in found["items"]]
    table(("fingerprint", "count", "actor", "error", "first at", "last at", "newest"), rows)


@click.command()
@answers(_say_failures)
def failures(client: "Client") -> Any:
    """Dead jobs, in groups of the same actor, error and place."""
    return show(client, "/v1/failures")
