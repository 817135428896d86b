"""The first page: what needs somebody, how much there is of everything, and how it went lately."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from ..asking import read
from ..filtering import condition
from ..page import page
from .actors import RANGES

LAST_FAILURES = 5
NEWEST_JOBS = 10

TILES = (
    ("queued", "enqueued", "ready for a worker"),
    ("delayed", "retried", "scheduled or retrying"),
    ("running", "started", "held by workers"),
    ("succeeded", "succeeded", "kept for a while"),
    ("dead", "dead", "given up"),
    ("cancelled", "cancelled", "withdrawn"),
    ("expired", "expired", "not started in time"),
)
"""Of each state: what of it is counted over time, and what it means."""


_PAGES = {
    "Schedule": "dashboard.schedules",
    "Worker": "dashboard.workers",
    "Canary": "dashboard.workers",
    "Queue": "dashboard.queues",
}
"""Of alerts with such a word in their name."""


def add_overview(routes: Blueprint) -> None:
    """The route of the page."""

    @routes.get("/")
    def overview() -> Response:
        chosen = request.args.get("range", "1h")
        rates = read("rates.show", query={"range": chosen if chosen in RANGES else "1h"})
        return page(
            "overview.html",
            alerts=[{**each, "where": _where(each)} for each in read("alerts.index")["items"]],
            stats=read("stats.show"),
            rates=rates,
            ranges=RANGES,
            tiles=TILES,
            trends=_trends(rates["items"]),
            queues=read("queues.index"),
            failures=read("jobs.index", query={"state": "dead", "limit": LAST_FAILURES})["items"],
            jobs=read("jobs.index", query={"limit": NEWEST_JOBS})["items"],
            address=request.url_root.rstrip("/"),
        )


def _where(alert: dict[str, Any]) -> str:
    """The page that tells more of it."""
    name, of = alert["name"], alert["of"] or ""
    if name in ("JobsDead", "JobsFail"):
        state = "state:dead " if name == "JobsDead" else ""
        return url_for("dashboard.jobs", filter=state + condition(of, "actor"))
    if of and "Schedule" in name:
        return url_for("dashboard.schedule", name=of)
    return url_for(next((page for word, page in _PAGES.items() if word in name), "dashboard.system"))


def _trends(points: list[dict[str, Any]]) -> dict[str, list[int]]:
    """What is counted over time, as bars: at most 24 of them, each of neighbouring spans."""
    size = -(-len(points) // 24) or 1
    groups = [points[begin : begin + size] for begin in range(0, len(points), size)]
    names = {name for _, name, _ in TILES}
    return {name: [sum(point[name] for point in group) for group in groups] for name in names}
