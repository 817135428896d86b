"""The first page: how all stands."""

from flask import Blueprint, Response, request

from ..asking import read
from ..page import page

NEWEST_JOBS = 20


def add_overview(routes: Blueprint) -> None:
    """The route of the page."""

    @routes.get("/")
    def overview() -> Response:
        return page(
            "overview.html",
            stats=read("stats.show"),
            queues=read("queues.index"),
            workers=read("workers.index"),
            jobs=read("jobs.index", query={"limit": NEWEST_JOBS})["items"],
            address=request.url_root.rstrip("/"),
        )
