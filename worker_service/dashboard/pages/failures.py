"""What fails: dead jobs in groups, with what can be done with a whole group."""

from flask import Blueprint, Response

from ..asking import read
from ..page import page
from ..parts import part


def add_failures(routes: Blueprint) -> None:
    """The route of the page."""

    @routes.get("/ui/failures")
    def failures() -> Response:
        found = read("failures.index")
        return page("failures.html", failures=part(found["items"]), truncated=found["truncated"])
