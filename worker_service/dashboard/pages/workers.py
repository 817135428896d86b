"""Worker processes: what each is, what it runs now, and for how long it may."""

from flask import Blueprint, Response

from ..asking import Refused, read
from ..page import page

MOST = 50
"""Of which all is told; of further ones, what the list says."""


def add_workers(routes: Blueprint) -> None:
    """The route of the page."""

    @routes.get("/ui/workers")
    def workers() -> Response:
        listed = read("workers.index")
        jobs = {worker["id"]: _jobs(worker["id"]) for worker in listed["items"][:MOST] if worker["running"]}
        return page("workers.html", workers=listed, jobs=jobs)


def _jobs(id: str) -> list[dict[str, object]]:
    try:
        found: list[dict[str, object]] = read("workers.show", {"id": id})["jobs"]
    except Refused as error:
        if error.status != 404:  # else it has ended meanwhile
            raise
        return []
    return found
