"""Ticks of schedules over HTTP: those to come, those that were, and those that a person asks for."""

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from ..broker.broker import JobBroker
from ..broker.schedules import Timetable
from ..jobs import instants
from ..settings import Settings
from .body import json_object
from .checked import checked, checked_query
from .idempotency import read_idempotency
from .jobs import found, shown
from .representation import location
from .requests import Instant
from .schedule_json import backfilled_json, coming_json, history_json


class BackfillRequest(BaseModel):
    """The body of ``POST /v1/schedules/{name}/backfill``: both instants belong to the range."""

    model_config = ConfigDict(extra="forbid")

    from_: Instant = Field(alias="from")
    to: Instant


class NextQuery(BaseModel):
    """The query of ``GET /v1/schedules/{name}/next``."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=5, ge=1, le=100)


class HistoryQuery(BaseModel):
    """The query of ``GET /v1/schedules/{name}/history``."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=500)


def schedule_ticks(broker: JobBroker, settings: Settings) -> Blueprint:
    """The routes of ticks."""
    routes = Blueprint("schedule_ticks", __name__)
    timetable = Timetable(broker, settings.timezone)

    @routes.post("/v1/schedules/<name>/run")
    def run(name: str) -> tuple[Response, int, dict[str, str]]:
        asked = read_idempotency(request.headers, {}, settings)
        id = timetable.run(name, asked.name if asked else "")
        return jsonify(shown(broker, found(broker, settings, id))), 202, {"Location": location(id)}

    @routes.post("/v1/schedules/<name>/backfill")
    def backfill(name: str) -> Response:
        wanted = checked(BackfillRequest, json_object(request))
        made = timetable.backfill(name, instants.to_ms(wanted.from_), instants.to_ms(wanted.to))
        return jsonify({"items": backfilled_json(made)})

    @routes.get("/v1/schedules/<name>/next")
    def coming(name: str) -> Response:
        count = checked_query(NextQuery, request.args).count
        return jsonify({"items": coming_json(timetable.coming(name, count))})

    @routes.get("/v1/schedules/<name>/history")
    def history(name: str) -> Response:
        limit = checked_query(HistoryQuery, request.args).limit
        return jsonify({"items": history_json(timetable.history(name, limit))})

    return routes
