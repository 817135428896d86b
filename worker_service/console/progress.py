"""How far a job is that somebody waits for: in silence, or with a bar for who sits at a terminal.

The bar goes to stderr, so that the output may be piped on. Ctrl-C ends the waiting and not the work.
"""

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from .command import show

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ..client import Client

SAY_WHY_SECONDS = 2.0
"""After which people are told what a job waits for that has not started."""
LOOK_SECONDS = 0.2
SHORT_MS = 500
"""A job that ends sooner has no bar."""


def followed(client: "Client", id: str, *, quiet: bool) -> dict[str, Any]:
    """The job with this id when it has ended.

    Args:
        quiet: show nothing meanwhile.
    """
    from ..client import NoAnswer

    try:
        if quiet or not sys.stderr.isatty():
            return client.wait(id).raw
        return _soon_ended(client, id) or _watched(client, id)
    except (KeyboardInterrupt, NoAnswer):
        click.echo(
            f"The work goes on, in the job {id}.\n"
            f"To follow it: worker-service jobs tail {id}\n"
            f"To stop it:   worker-service jobs cancel {id}",
            err=True,
        )
        raise


def _soon_ended(client: "Client", id: str) -> dict[str, Any] | None:
    from ..client import WaitedTooLong

    try:
        return client.wait(id, SHORT_MS).raw
    except WaitedTooLong:
        return None


def _watched(client: "Client", id: str) -> dict[str, Any]:
    with bar(quiet=False) as shown:
        return _until_ended(client, id, shown, shown.add_task("waiting", total=None, rate=""))


def bar(*, quiet: bool) -> "Progress":
    """A bar on stderr, with a field ``rate`` for the text behind it; shows nothing where nobody looks.

    Args:
        quiet: nobody does, whatever stderr is.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=Console(stderr=True),
        disable=quiet or not sys.stderr.isatty(),
    )


def _until_ended(client: "Client", id: str, shown: "Progress", task: "TaskID") -> dict[str, Any]:
    from rich.markup import escape

    asked_at, begun_at, why = time.monotonic(), None, ""
    while True:
        job: dict[str, Any] = show(client, f"/v1/jobs/{id}")
        now = time.monotonic()
        if job["progress"]:
            begun_at = begun_at or now - LOOK_SECONDS
            note, percent = job["progress"]["note"], job["progress"]["percent"]
            shown.update(task, total=100, completed=percent, description=escape(note or job["state"]))
            shown.update(task, rate=_rate(job, now - begun_at))
        elif job["state"] == "running":
            shown.update(task, description="running")
        elif now - asked_at > SAY_WHY_SECONDS and why != (why := _why_not(client, id)):
            shown.console.print(why, markup=False, highlight=False)
        if job["finished_at"] is not None:
            return job
        time.sleep(LOOK_SECONDS)


def _why_not(client: "Client", id: str) -> str:
    return str(show(client, f"/v1/jobs/{id}/explain")["detail"])


def _rate(job: dict[str, Any], seconds: float) -> str:
    """Of work on many jobs, which counts them."""
    from ..broker.bulk import done_so_far
    from ..broker.offered import BULK_ACTOR

    if job["actor"] != BULK_ACTOR:
        return ""
    return f"{done_so_far(job['progress']['note']) / seconds:,.0f} jobs/s"
