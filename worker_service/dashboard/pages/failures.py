"""What fails: dead jobs in groups, with what can be done with a whole group."""

from flask import Blueprint, Response, request

from ..asking import read
from ..page import page

SHOWN = 100
"""Groups on one page."""


def add_failures(routes: Blueprint) -> None:
    """The route of the page."""

    @routes.get("/ui/failures")
    def failures() -> Response:
        found = read("failures.index")
        begin = max(0, request.args.get("begin", 0, type=int))
        end = begin + SHOWN
        return page(
            "failures.html",
            failures=found["items"][begin:end],
            begin=begin,
            end=end if end < len(found["items"]) else None,
            truncated=found["truncated"],
        )
