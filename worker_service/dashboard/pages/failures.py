"""What fails: dead jobs in groups, with what can be done with a whole group."""

from flask import Blueprint, Response

from ..asking import read
from ..page import page


def add_failures(routes: Blueprint) -> None:
    """The route of the page."""

    @routes.get("/ui/failures")
    def failures() -> Response:
        return page("failures.html", failures=read("failures.index"))
