"""Schedules over HTTP: what they say, and whether they are fired."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Request, Response, jsonify, request
from pydantic import BaseModel, ConfigDict
from werkzeug.exceptions import BadRequest

from ..broker.broker import JobBroker
from ..broker.schedules import Entry, Timetable
from ..jobs.errors import (
    ActorNotAllowed,
    InvalidQuery,
    InvalidSchedule,
    ScheduleChanged,
    ScheduleDamaged,
    ScheduleOfCode,
    UnknownSchedule,
)
from ..jobs.schedule import Definition
from ..settings import Settings
from ..store import Damaged
from ..store.schedules import NONE
from .answers import DamagedScheduleJson, ScheduleJson, SchedulesJson
from .body import json_object
from .checked import NoFields, checked
from .documented import documented
from .links import link
from .principal import current_principal
from .schedule_json import schedule_json

ABOUT_VERSIONS = {
    "If-Match": "Only if the schedule is this version (its ETag), or '*': if there is one.",
    "If-None-Match": "Only '*': if there is none.",
}
NO_EDITION = "-"
"""Expected where none of the client's entity tags is that of the schedule: the store finds no such edition."""


class PauseSchedule(BaseModel):
    """The body of ``POST /v1/schedules/{name}/pause``."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "Not in the holidays."}]}
    )

    note: str


def schedules(broker: JobBroker, settings: Settings) -> Blueprint:
    """The routes of schedules, but those of single ticks."""
    routes = Blueprint("schedules", __name__)
    timetable = Timetable(broker, settings.timezone)

    def fn_of(entry: Entry | Damaged) -> Callable[..., Any] | None:
        actor = broker.actors.get(entry.definition.actor) if isinstance(entry, Entry) else None
        return actor.fn if actor else None

    def shown(entry: Entry | Damaged) -> Response:
        return _shown(entry, fn_of(entry))

    @routes.get("/v1/schedules")
    @documented("List schedules by name.", {200: SchedulesJson})
    def index() -> Response:
        return jsonify(SchedulesJson(items=[schedule_json(each, fn_of(each)) for each in timetable.all()]))

    @routes.get("/v1/schedules/<name>")
    @documented(
        "Read a schedule.",
        {200: ScheduleJson | DamagedScheduleJson},
        sends=("ETag",),
        problems=(UnknownSchedule,),
    )
    def show(name: str) -> Response:
        return shown(timetable.find(name))

    @routes.put("/v1/schedules/<name>")
    @documented(
        "Create a schedule, or replace its definition.",
        {200: ScheduleJson, 201: ScheduleJson},
        sends=("Location", "ETag"),
        body=Definition,
        headers=ABOUT_VERSIONS,
        problems=(InvalidSchedule, ScheduleChanged, ScheduleDamaged, ScheduleOfCode, ActorNotAllowed),
    )
    def put(name: str) -> Response:
        wanted = json_object(request)
        current_principal().check_actor(str(wanted.get("actor")))
        expected = _expected(request, timetable, name)
        word, entry = timetable.put(name, wanted, expected=expected)
        response = shown(entry)
        if word == "created":
            response.status_code = 201
            response.headers["Location"] = link(f"/v1/schedules/{name}")
        return response

    @routes.delete("/v1/schedules/<name>")
    @documented(
        "Remove a schedule; its jobs stay.",
        {204: ""},
        headers=ABOUT_VERSIONS,
        problems=(UnknownSchedule, ScheduleChanged, ScheduleOfCode),
    )
    def delete(name: str) -> tuple[str, int]:
        timetable.remove(name, expected=_expected(request, timetable, name))
        return "", 204

    @routes.post("/v1/schedules/<name>/pause")
    @documented(
        "Fire no more ticks of a schedule.",
        {200: ScheduleJson},
        body=PauseSchedule,
        sends=("ETag",),
        problems=(UnknownSchedule, ScheduleDamaged, InvalidQuery),
    )
    def pause(name: str) -> Response:
        wanted = checked(PauseSchedule, json_object(request))
        return shown(timetable.pause(name, wanted.note))

    @routes.post("/v1/schedules/<name>/resume")
    @documented(
        "Fire the ticks of a schedule again.",
        {200: ScheduleJson},
        sends=("ETag",),
        body=NoFields,
        body_required=False,
        problems=(UnknownSchedule, ScheduleDamaged, ScheduleChanged, InvalidQuery, ActorNotAllowed),
    )
    def resume(name: str) -> Response:
        check_may_fire(timetable, name)
        return shown(timetable.resume(name))

    return routes


def check_may_fire(timetable: Timetable, name: str) -> None:
    """Whether who asks may make jobs of this schedule's actor run.

    Raises:
        ActorNotAllowed: the key is for other actors.
    """
    principal = current_principal()
    if principal.actors is not None:
        principal.check_actor(timetable.get(name).definition.actor)


def _shown(entry: Entry | Damaged, fn: Callable[..., Any] | None) -> Response:
    """The entity tag is the edition of the definition, which is what is put; counters change without it."""
    response = jsonify(schedule_json(entry, fn))
    if isinstance(entry, Entry):
        response.set_etag(entry.stored.edition)
    return response


def _expected(request: Request, timetable: Timetable, name: str) -> str | None:
    """The edition that the headers If-Match and If-None-Match (RFC 9110, section 13.1) ask for; see `Timetable.put`."""
    if request.if_none_match:
        if not request.if_none_match.star_tag:
            raise BadRequest("Of If-None-Match only '*' is supported: the schedule is to be a new one.")
        return NONE
    if not request.if_match:
        return None
    try:
        entry = timetable.find(name)
    except UnknownSchedule:
        return NO_EDITION
    if isinstance(entry, Damaged):
        return None if request.if_match.star_tag else NO_EDITION
    edition = entry.stored.edition
    return edition if request.if_match.contains(edition) else NO_EDITION
