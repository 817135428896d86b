"""Actors: how their jobs do, and a form that sends one."""

from flask import Blueprint, Response, request

from ..actions.action import Given
from ..actions.actors import SEND_JOB
from ..asking import read
from ..page import here, page
from ..schema_form import fields_of, takes_further

RANGES = ("1h", "8h", "24h", "72h")


def add_actors(routes: Blueprint) -> None:
    """The routes of the list, and of one."""

    @routes.get("/ui/actors")
    def actors() -> Response:
        return page("actors.html", actors=read("actors.index")["items"])

    @routes.get("/ui/actors/<path:name>")
    def actor(name: str) -> Response:
        found = read("actors.show", {"name": name})
        chosen = request.args.get("range", "1h")
        rates = read("rates.show", query={"actor": name, "range": chosen if chosen in RANGES else "1h"})
        return page(
            "actor.html",
            actor=found,
            rates=rates,
            ranges=RANGES,
            arguments=fields_of(found["args"]),
            takes_further=takes_further(found["args"]),
            action=SEND_JOB,
            given=Given({"actor": name, "next": here()}),
            errors={},
        )
