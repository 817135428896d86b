"""Jobs: those that a filter means, page by page, to be looked at, operated on, or taken away as a file."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from flask import Blueprint, Response, request, stream_with_context
from werkzeug.exceptions import NotFound

from ..asking import Refused, read
from ..exporting import as_csv, as_json
from ..filtering import Wanted, read_filter
from ..page import page

ON_A_PAGE = 50
AT_ONCE = 500
MOST_EXPORTED = 10_000
FORMATS = {"json": (as_json, "application/json"), "csv": (as_csv, "text/csv")}

RAIL = ("queued", "running", "scheduled", "retrying", "succeeded", "dead", "cancelled", "expired")
COUNTED = {"scheduled": "delayed", "retrying": "delayed"}
"""States that are counted together only: the name of the number."""


def add_jobs(routes: Blueprint) -> None:
    """The routes of the list."""

    @routes.get("/ui/jobs")
    def jobs() -> Response:
        text, cursor = request.args.get("filter", "").strip(), request.args.get("cursor")
        wanted, found, problem = Wanted(text), None, None
        try:
            wanted = read_filter(text)
            found = read("jobs.index", query={**wanted.query, "limit": ON_A_PAGE, "cursor": cursor})
        except Refused as error:
            if error.status != 422:
                raise
            problem = error.problem
        return page(
            "jobs.html",
            422 if problem else 200,
            wanted=wanted,
            found=found,
            problem=problem,
            cursor=cursor,
            stats=read("stats.show"),
            rail=RAIL,
            counted=COUNTED,
            most_exported=MOST_EXPORTED,
        )

    @routes.get("/ui/jobs/export")
    def export() -> Response:
        name = request.args.get("format", "json")
        if name not in FORMATS:
            raise NotFound(f"There is no format {name!r}: json or csv.")
        write, media_type = FORMATS[name]
        found = _all(read_filter(request.args.get("filter", "")))
        first = list(islice(found, 1))  # now: a problem is still a page
        response = Response(stream_with_context(write(chain(first, found))), mimetype=media_type)
        response.headers["Content-Disposition"] = f'attachment; filename="jobs.{name}"'
        return response


def _all(wanted: Wanted) -> Iterator[dict[str, Any]]:
    """The newest ones, at most `MOST_EXPORTED`."""
    cursor, left = None, MOST_EXPORTED
    while left:
        query = {**wanted.query, "limit": min(AT_ONCE, left), "cursor": cursor}
        answer = read("jobs.index", query=query)
        yield from answer["items"]
        left -= len(answer["items"])
        cursor = answer["next_cursor"]
        if cursor is None:
            return
