"""Schedules: when each fires, what became of its ticks, and how it is changed."""

import json

from flask import Blueprint, Response

from ..asking import ask, read
from ..page import page

COMING = 5
HISTORY = 50


def add_schedules(routes: Blueprint) -> None:
    """The routes of the list, and of one."""

    @routes.get("/ui/schedules")
    def schedules() -> Response:
        return page("schedules.html", schedules=read("schedules.index")["items"], stats=read("stats.show"))

    @routes.get("/ui/schedules/<name>")
    def schedule(name: str) -> Response:
        found = ask("schedules.show", {"name": name})
        is_readable = found.json["state"] != "damaged"
        definition = json.dumps(found.json.get("definition", {}), ensure_ascii=False, indent=2)
        return page(
            "schedule.html",
            schedule=found.json,
            edition=found.headers.get("ETag", ""),
            definition=definition,
            coming=read("schedule_ticks.coming", {"name": name}, query={"count": COMING})["items"]
            if is_readable
            else [],
            history=read("schedule_ticks.history", {"name": name}, query={"limit": HISTORY})["items"],
        )
