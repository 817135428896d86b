"""Schedules: when each fires, what became of its ticks, and how it is changed."""

from typing import Any

from flask import Blueprint, Response

from ..asking import Refused, read
from ..page import page
from ..parts import part

COMING = 5
HISTORY = 50
SHORT = 24
WITH_HISTORY = 30
"""Schedules of a list whose ticks are told."""


def add_schedules(routes: Blueprint) -> None:
    """The routes of the list, and of one."""

    @routes.get("/ui/schedules")
    def schedules() -> Response:
        found = part(read("schedules.index")["items"])
        return page(
            "schedules.html",
            schedules=found,
            stats=read("stats.show"),
            histories={each["name"]: _history(each["name"], SHORT) for each in found.items[:WITH_HISTORY]},
        )

    @routes.get("/ui/schedules/<name>")
    def schedule(name: str) -> Response:
        found = read("schedules.show", {"name": name})
        is_readable = found["state"] != "damaged"
        return page(
            "schedule.html",
            schedule=found,
            coming=read("schedule_ticks.coming", {"name": name}, query={"count": COMING})["items"]
            if is_readable
            else [],
            history=_history(name, HISTORY),
        )


def _history(name: str, limit: int) -> list[dict[str, Any]]:
    """The newest ticks; none of a schedule that has just been removed."""
    try:
        found: list[dict[str, Any]] = read("schedule_ticks.history", {"name": name}, query={"limit": limit})[
            "items"
        ]
    except Refused as error:
        if error.status != 404:
            raise
        return []
    return found
