"""``jobs tail``: what happens to one job, or to all, as lines."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .command import as_json, asks, show
from .completion import actor_name, queue_name
from .job_filters import STATES, check_names
from .output import say_json, word

if TYPE_CHECKING:
    from ..client import Client, Event

NEWEST = 200
"""Jobs that are looked at, of each kind, whenever something has changed."""
GAP_SECONDS = 0.5
"""Between two looks."""
MOST_SEEN = 10_000
"""Jobs whose state is remembered."""

Job = dict[str, Any]


@click.command("tail")
@click.argument("id", required=False)
@click.option("--queue", shell_complete=queue_name)
@click.option("--actor", shell_complete=actor_name)
@click.option("--state", "states", multiple=True, type=STATES, help="Only what comes into it; repeatable.")
@as_json
@asks
def tail(
    client: "Client",
    id: str | None,
    queue: str | None,
    actor: str | None,
    states: tuple[str, ...],
    json_wanted: bool,
) -> None:
    """Follow the job ID until it has ended, or all jobs until Ctrl-C: new ones, and each state they come into.

    Of all jobs, a state that lasts for less than half a second may be left out.
    """
    if id and (queue or actor or states):
        raise click.UsageError("Give an id, or options that say which jobs.")
    if id:
        _follow_one(client, id, json_wanted=json_wanted)
    else:
        _follow_all(client, queue=queue, actor=actor, states=states, json_wanted=json_wanted)


def _follow_one(client: "Client", id: str, *, json_wanted: bool) -> None:
    for event in client.events(id):
        if json_wanted:
            say_json({"event": event.kind, "data": event.data})
        else:
            click.echo(f"{event.kind:8}  {_told(event)}")


def _told(event: "Event") -> str:
    if isinstance(event.data, dict):
        return "  ".join(f"{name}={word(value)}" for name, value in event.data.items() if value is not None)
    return word(event.data)


def _follow_all(
    client: "Client",
    *,
    queue: str | None,
    actor: str | None,
    states: tuple[str, ...],
    json_wanted: bool,
) -> None:
    check_names(client, queue=queue, actor=actor)
    follower = Follower(client, queue=queue, actor=actor)
    follower.changed()  # what was before is not told
    for topic in client.changes():
        if topic != "jobs":
            continue
        for job in _changed(follower):
            if states and job["state"] not in states:
                continue
            if json_wanted:
                say_json({"event": job["state"], "data": job})
            else:
                click.echo(line(job))
        time.sleep(GAP_SECONDS)


def _changed(follower: "Follower") -> list[Job]:
    from ..client import NoAnswer

    try:
        return follower.changed()
    except NoAnswer as error:  # the stream tells when there is something to see again
        click.echo(f"{error.problem.detail if error.problem else error}\nWaiting for it.", err=True)
        return []


class Follower:
    """Sees which jobs have changed: it looks at the newest, at those that run, at those that ran before, and at dead
    ones; what was queued for long and ends between two looks without failing is not seen.

    Args:
        queue, actor: of the jobs it looks at; None: of all.
    """

    def __init__(self, client: "Client", *, queue: str | None = None, actor: str | None = None) -> None:
        self._client = client
        self._filters = {"queue": queue, "actor": actor, "limit": NEWEST}
        self._seen: dict[str, tuple[str, int]] = {}
        self._running: set[str] = set()
        self._since: str | None = None

    def changed(self) -> list[Job]:
        """Jobs that are new or in another state than at the last look, the oldest first."""
        jobs = {job["id"]: job for job in self._look()}
        left = self._running - jobs.keys()
        jobs |= {job["id"]: job for id in left for job in self._one(id)}
        self._running = {id for id, job in jobs.items() if job["state"] == "running"}
        found = [job for job in jobs.values() if self._is_news(job)]
        self._remember(jobs)
        return sorted(found, key=lambda job: (job["created_at"], job["id"]))

    def _is_news(self, job: Job) -> bool:
        if job["id"] in self._seen:
            return self._seen[job["id"]] != _standing(job)
        return _newest_instant(job) > (self._since or "")  # else it was out of sight only

    def _remember(self, jobs: dict[str, Job]) -> None:
        seen = {id: _standing(job) for id, job in jobs.items()}
        self._seen = dict([*self._seen.items(), *seen.items()][-MOST_SEEN:])
        if self._since is None:  # by the clock of the service
            self._since = max(map(_newest_instant, jobs.values()), default="")

    def _look(self) -> Iterator[Job]:
        for state in (None, "running", "dead"):
            yield from show(self._client, "/v1/jobs", state=state, **self._filters)["items"]

    def _one(self, id: str) -> Iterator[Job]:
        from ..client import Problem

        try:
            yield show(self._client, f"/v1/jobs/{id}")
        except Problem:
            return  # it was removed


def _standing(job: Job) -> tuple[str, int]:
    return job["state"], job["attempt"]


def _newest_instant(job: Job) -> str:
    return str(job["finished_at"] or job["created_at"])


def line(job: Job) -> str:
    """What has just become of a job, for people."""
    at = job["finished_at"] or (job["started_at"] if job["state"] == "running" else None) or job["created_at"]
    error = job["error"] if job["state"] in ("dead", "retrying") else None
    why = f"{error['type']}: {error['message']}" if error else job["reason"] or ""
    told = f"{at}  {job['state']:9}  {job['actor']}  {job['queue']}  {job['id']}  {' '.join(why.split())}"
    return told.rstrip()
