"""What is done to many jobs: `jobs cancel`, `retry` and `delete`. A job of the service does it; who asked sees how far
it is, and may leave."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from .command import as_json, asks
from .job_filters import filters
from .output import say_json
from .progress import followed

if TYPE_CHECKING:
    from ..client import Client


def bulk_commands() -> Iterator[click.Command]:
    """One for each operation."""
    yield _command("cancel", "Stop jobs")
    yield _command("retry", "Put dead or cancelled jobs back")
    yield _command("delete", "Remove finished jobs")


def _command(name: str, about: str) -> click.Command:
    @click.command(name, help=f"{about}: one, several, or all that match the options.")
    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @filters
    @click.option("--dry-run", is_flag=True, help="Count them only.")
    @as_json
    @asks
    def operate(
        client: "Client", ids: Sequence[str], dry_run: bool, json_wanted: bool, **filters: Any
    ) -> None:
        given = {name: value for name, value in filters.items() if value is not None}
        if bool(ids) == bool(given):
            raise click.UsageError("Give ids, or options that say which jobs.")
        if dry_run:
            _count(client, name, ids, given, json_wanted=json_wanted)
        elif len(ids) == 1:
            _operate_on_one(client, name, ids[0], json_wanted=json_wanted)
        else:
            _operate_on_many(client, name, ids, given, json_wanted=json_wanted)

    return operate


def _count(
    client: "Client", operation: str, ids: Sequence[str], given: dict[str, Any], *, json_wanted: bool
) -> None:
    found = _asked(client, operation, ids, given, dry_run=True)
    if json_wanted:
        say_json(found)
    else:
        more = " or more" if found["truncated"] else ""
        click.echo(f"{found['matched']}{more} jobs match.")


def _operate_on_one(client: "Client", operation: str, id: str, *, json_wanted: bool) -> None:
    if operation == "delete":
        client.delete(id)
        found = None
    else:
        found = client.request("POST", f"/v1/jobs/{id}/{operation}")
    if json_wanted:
        say_json(found)
    else:
        click.echo(f"Job {found['id']} is {found['state']}." if found else f"Job {id} is removed.")


def _operate_on_many(
    client: "Client", operation: str, ids: Sequence[str], given: dict[str, Any], *, json_wanted: bool
) -> None:
    job = _asked(client, operation, ids, given, dry_run=False)
    found = followed(client, job["id"], quiet=json_wanted)
    if json_wanted:
        say_json(found)
    else:
        _say_many(found)


def _asked(
    client: "Client", operation: str, ids: Sequence[str], given: dict[str, Any], *, dry_run: bool
) -> Any:
    which = {"ids": list(ids)} if ids else {"filter": given}
    return client.request("POST", f"/v1/jobs:{operation}", json={**which, "dry_run": dry_run})


def _say_many(found: dict[str, Any]) -> None:
    result = result_of(found)
    click.echo(f"{result['done']} of {result['matched']} jobs.")
    for reason, number in result["skipped"].items():
        click.echo(f"{number} left alone: {reason}")


def result_of(found: dict[str, Any]) -> Any:
    """What the job that did it says of the others."""
    if found["state"] != "succeeded":
        raise click.ClickException(
            f"The job {found['id']}, which does it, is {found['state']}; "
            f"`worker-service jobs show {found['id']}` tells why."
        )
    return found["result"]
