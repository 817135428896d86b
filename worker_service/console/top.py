"""``top``: queues and workers, again and again."""

import time

import click

from ..client import Client
from .command import as_json, asks, show
from .output import say_json, table


@click.command()
@click.option("--interval-ms", default=2_000, show_default=True, type=click.IntRange(200, 60_000))
@click.option("--once", is_flag=True, help="Once, without clearing the screen.")
@as_json
@asks
def top(client: Client, interval_ms: int, once: bool, json_wanted: bool) -> None:
    """What waits and who works, until Ctrl-C."""
    while True:
        found = {
            "stats": show(client, "/v1/stats"),
            "queues": show(client, "/v1/queues")["items"],
            "workers": show(client, "/v1/workers")["items"],
        }
        if json_wanted:
            say_json(found)
        else:
            if not once:
                click.clear()
            _paint(found)
        if once:
            return
        time.sleep(interval_ms / 1000)


def _paint(found: dict[str, dict[str, object] | list[dict[str, object]]]) -> None:
    stats, queues, workers = found["stats"], found["queues"], found["workers"]
    assert isinstance(stats, dict)
    names = ("queued", "delayed", "running", "dead", "workers", "schedulers")
    numbers = "  ".join(f"{name} {stats.get(name, 0)}" for name in names)
    click.echo(f"{time.strftime('%H:%M:%S')}  {numbers}\n")
    assert isinstance(queues, list)
    table(("name", "queued", "scheduled or retrying", "oldest ms"), queues)
    click.echo()
    assert isinstance(workers, list)
    table(("id", "state", "host", "pid", "running", "threads"), workers)
