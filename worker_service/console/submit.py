"""``submit``: creates a job."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from .command import as_json, asks, show
from .completion import actor_name, queue_name
from .jobs import say_job
from .output import say_json
from .progress import followed

if TYPE_CHECKING:
    from ..client import Client


@click.command()
@click.argument("actor", shell_complete=actor_name)
@click.argument("args", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--queue", shell_complete=queue_name, help="In place of the actor's own.")
@click.option("--delay-ms", type=int, help="Start it so much later.")
@click.option("--run-at", help="Start it at this instant (RFC 3339).")
@click.option("--expires-in-ms", type=int, help="Do not start it after so long.")
@click.option("--priority", type=int, help="-100 to 100, the lower first.")
@click.option("--max-attempts", type=int)
@click.option("--tag", "tags", multiple=True, help="May be repeated.")
@click.option("--idempotency-key", help="A request with the same key makes no second job.")
@click.option("--wait", is_flag=True, help="Wait for its end; the exit code is 1 when it does not succeed.")
@as_json
@asks
def submit(
    client: "Client",
    actor: str,
    args: Sequence[str],
    tags: Sequence[str],
    idempotency_key: str | None,
    wait: bool,
    json_wanted: bool,
    **fields: Any,
) -> None:
    """Create a job of ACTOR.

    A VALUE is read as JSON, unless the actor wants a text there: x=2 names='["a", "b"]' to=ann@example.org
    """
    wanted = {name: value for name, value in fields.items() if value is not None}
    if tags:
        wanted["tags"] = list(tags)
    job = client.submit(
        actor, read_args(args, _schema(client, actor)), idempotency_key=idempotency_key, **wanted
    ).raw
    if wait:
        job = followed(client, job["id"], quiet=json_wanted)
    if json_wanted:
        say_json(job)
    elif wait:
        say_job(job)
    else:
        click.echo(f"Job {job['id']} is {job['state']}.")
    if wait and job["state"] != "succeeded":
        raise SystemExit(1)


def read_args(words: Sequence[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name.

    Args:
        words: as ``x=2``.
        schema: JSON schema of each argument.
    """
    found: dict[str, Any] = {}
    for each in words:
        name, is_pair, text = each.partition("=")
        if not is_pair or not name:
            raise click.UsageError(f"{each!r}: write an argument as KEY=VALUE.")
        found[name] = text if schema.get(name, {}).get("type") == "string" else _read(text)
    return found


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _schema(client: "Client", actor: str) -> dict[str, Any]:
    """Of the arguments; of an actor that does not exist none: the service will say so, with the nearest name."""
    known = {each["name"]: each["args"] for each in show(client, "/v1/actors")["items"]}
    properties: dict[str, Any] = known.get(actor, {}).get("properties", {})
    return properties
