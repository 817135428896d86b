"""What is done to many jobs: to those that are selected, or to all that match a filter."""

from dataclasses import dataclass
from typing import Any

from flask import request

from ..asking import Refused, Reply, ask, read
from ..filtering import Wanted, read_filter
from ..unreadable import wrong
from .action import Action, Given
from .jobs import job_page

MOST_IDS = 500
"""In one request of the interface."""
HIDDEN = ("which", "filter", "ids")

_MEANT = {"retry": "dead", "cancel": "waiting or running", "delete": "finished"}


def _body(given: Given) -> dict[str, Any]:
    if given.get("which") != "all":
        ids = given.getlist("ids")
        if not ids:
            raise wrong("/ids", "No job is selected.")
        return {"ids": ids[:MOST_IDS]}
    wanted = read_filter(given.get("filter", ""))
    if not wanted.is_textual:
        return {"filter": wanted.query}
    ids = [job["id"] for job in _found(wanted)["items"]]
    if not ids:
        raise wrong("/filter", "No job matches.")
    return {"ids": ids}


def _found(wanted: Wanted) -> Any:
    """The interface operates on no jobs that have to be read first: these are, and then named."""
    return read("jobs.index", query={**wanted.query, "limit": MOST_IDS})


def _action(operation: str, title: str, done: str) -> Action:
    def says(given: Given) -> str:
        body = _body(given)
        # A count is no change, though it is asked for with POST: this page may, however it was come to.
        ours = {"Origin": request.host_url.rstrip("/")}
        counted = ask(
            "bulk.operate", {"operation": operation}, body={**body, "dry_run": True}, headers=ours
        ).json
        number = f"{counted['matched']:,}{' or more' if counted['truncated'] else ''}"
        jobs = "job" if counted["matched"] == 1 else "jobs"
        if "ids" in body and given.get("which") != "all":
            return f"{number} {jobs} selected. Those that are {_MEANT[operation]} are meant."
        newest = f" (the newest {MOST_IDS} of them)" if len(body.get("ids", ())) == MOST_IDS else ""
        return f"{number} {jobs} match “{given.get('filter', '')}” now{newest}."

    return Action(
        name=f"{operation}-jobs",
        endpoint="bulk.operate",
        button=title.partition(" ")[0],
        title=title,
        text="A job of its own does it, and tells how far it is.",
        done=done,
        hidden=HIDDEN,
        says=says,
        body=_body,
        fixed={"operation": operation},
        leads=job_page,
        is_asked_back=True,
        is_grave=operation != "retry",
        is_once=True,
    )


def _chosen(given: Given) -> list[str]:
    """Ids of the jobs that are meant, each by its name."""
    body = _body(given)
    if "ids" in body:
        return list(body["ids"])
    return [job["id"] for job in _found(read_filter(given.get("filter", "")))["items"]]


@dataclass(frozen=True, slots=True)
class RunNow(Action):
    """The interface has no operation that lets many jobs run now, so each is asked for by itself."""

    def do(self, given: Given) -> Reply:
        """Ask for each; what waits for no time, or is gone, is left out."""
        done = 0
        for id in _chosen(given):
            try:
                ask(self.endpoint, {"id": id})
            except Refused as error:
                if error.status not in (404, 409):
                    raise
            else:
                done += 1
        return Reply({"done": done}, {})


def _says_how_many_wait(given: Given) -> str:
    number = len(_chosen(given))
    jobs = "job is" if number == 1 else "jobs are"
    newest = f" (the newest {MOST_IDS})" if number == MOST_IDS else ""
    return f"{number:,} {jobs} meant{newest}. Those that wait for their time, scheduled or to be tried again, run."


ACTIONS = (
    RunNow(
        name="run-jobs-now",
        endpoint="operations.run_now",
        button="Run now",
        title="Run many jobs now?",
        done="{done} jobs wait for their time no longer.",
        hidden=HIDDEN,
        says=_says_how_many_wait,
        is_asked_back=True,
    ),
    _action("retry", "Retry many jobs?", "This job puts them back."),
    _action("cancel", "Cancel many jobs?", "This job cancels them."),
    _action("delete", "Delete many jobs?", "This job removes them."),
)
