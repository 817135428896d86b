"""The jobs of very many past ticks: asked for in parts, each as long as one request may be."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from .progress import bar

if TYPE_CHECKING:
    from ..client import Client, Problem

SMALLEST = timedelta(milliseconds=1)

Item = dict[str, Any]


def backfilled(client: "Client", name: str, begin: str, end: str, *, quiet: bool) -> list[Item]:
    """The ticks of a schedule between two instants, with their jobs, the oldest first.

    Args:
        quiet: show no bar.
    """
    first, last = _instant(begin, "FROM"), _instant(end, "TO")
    found: list[Item] = []
    parts = [(first, last)]
    with bar(quiet=quiet) as shown:
        task = shown.add_task("", total=(last - first).total_seconds(), rate="")
        while parts:
            since, until = parts.pop()
            items = _asked(client, name, since, until)
            if items is None:
                middle = since + (until - since) / 2
                parts += [(middle + SMALLEST, until), (since, middle)]
            else:
                found += items
                shown.update(
                    task, completed=(until - first).total_seconds(), description=f"{len(found):,} ticks"
                )
    return found


def _asked(client: "Client", name: str, since: datetime, until: datetime) -> list[Item] | None:
    """None when the range has too many ticks for one request."""
    from ..client import Problem

    body = {"from": _written(since), "to": _written(until)}
    try:
        items: list[Item] = client.request("POST", f"/v1/schedules/{name}/backfill", json=body)["items"]
    except Problem as problem:
        if has_too_many(problem) and until - since > SMALLEST:
            return None
        raise
    return items


def has_too_many(problem: "Problem") -> bool:
    """Whether a range was refused for the number of its ticks."""
    return any(each["code"] == "too_many" for each in problem.errors)


def _instant(text: str, place: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise click.BadParameter(
            "Use an instant with its zone, as in 2030-01-31T12:00:00Z (RFC 3339).", param_hint=place
        )
    return found.astimezone(UTC)


def _written(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")
