"""Ticks of schedules over HTTP: those to come, those that were, and those that a person asks for."""

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from ..broker.broker import JobBroker
from ..broker.schedules import Timetable
from ..jobs import instants
from ..jobs.errors import (
    ActorNotAllowed,
    DuplicateJob,
    IdempotencyKeyReused,
    InvalidJob,
    InvalidQuery,
    ScheduleChanged,
    ScheduleDamaged,
    StoreFull,
    UnknownSchedule,
)
from ..settings import Settings
from .answers import BackfilledTicksJson, ComingTicksJson, JobJson, ReplayedJson, TicksJson
from .body import json_object
from .checked import Digits, NoFields, checked, checked_query
from .documented import documented
from .idempotency import ABOUT_THE_KEY, read_idempotency
from .jobs import found, shown
from .representation import location, replayed_json
from .requests import Instant
from .schedule_json import backfilled_json, coming_json, history_json
from .schedules import check_may_fire

OF_ONE = (UnknownSchedule, ScheduleDamaged, ScheduleChanged)
"""What goes wrong with a schedule that makes jobs."""


class BackfillRequest(BaseModel):
    """The body of ``POST /v1/schedules/{name}/backfill``: both instants belong to the range."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"from": "2030-01-01T00:00:00Z", "to": "2030-01-31T23:59:59Z"}]},
    )

    from_: Instant = Field(alias="from")
    to: Instant


class NextQuery(BaseModel):
    """The query of ``GET /v1/schedules/{name}/next``."""

    model_config = ConfigDict(extra="forbid")

    count: Digits = Field(default=5, ge=1, le=100)


class HistoryQuery(BaseModel):
    """The query of ``GET /v1/schedules/{name}/history``."""

    model_config = ConfigDict(extra="forbid")

    limit: Digits = Field(default=50, ge=1, le=500)


def schedule_ticks(broker: JobBroker, settings: Settings) -> Blueprint:
    """The routes of ticks."""
    routes = Blueprint("schedule_ticks", __name__)
    timetable = Timetable(broker, settings.timezone)

    @routes.post("/v1/schedules/<name>/run")
    @documented(
        "Make a job of a schedule now.",
        {202: JobJson | ReplayedJson},
        sends=("Location", "Idempotent-Replayed"),
        body=NoFields,
        body_required=False,
        headers=ABOUT_THE_KEY,
        problems=(
            *OF_ONE,
            InvalidQuery,
            InvalidJob,
            IdempotencyKeyReused,
            DuplicateJob,
            StoreFull,
            ActorNotAllowed,
        ),
    )
    def run(name: str) -> tuple[Response, int, dict[str, str]]:
        check_may_fire(timetable, name)
        done = timetable.run(name, read_idempotency(request.headers, {"run": name}, settings))
        headers = {"Location": location(done.id)}
        if done.word == "replayed":
            return jsonify(replayed_json(done)), 202, {**headers, "Idempotent-Replayed": "true"}
        return jsonify(shown(broker, found(broker, settings, done.id))), 202, headers

    @routes.post("/v1/schedules/<name>/backfill")
    @documented(
        "Make the jobs of past ticks, each once.",
        {200: BackfilledTicksJson},
        body=BackfillRequest,
        problems=(*OF_ONE, InvalidQuery, InvalidJob, StoreFull, ActorNotAllowed),
    )
    def backfill(name: str) -> Response:
        wanted = checked(BackfillRequest, json_object(request))
        check_may_fire(timetable, name)
        made = timetable.backfill(name, instants.to_ms(wanted.from_), instants.to_ms(wanted.to))
        return jsonify(BackfilledTicksJson(items=backfilled_json(made)))

    @routes.get("/v1/schedules/<name>/next")
    @documented(
        "List the ticks to come.",
        {200: ComingTicksJson},
        query=NextQuery,
        problems=(UnknownSchedule, ScheduleDamaged, InvalidQuery),
    )
    def coming(name: str) -> Response:
        count = checked_query(NextQuery, request.args).count
        return jsonify(ComingTicksJson(items=coming_json(timetable.coming(name, count))))

    @routes.get("/v1/schedules/<name>/history")
    @documented(
        "List the ticks that were, the newest first.",
        {200: TicksJson},
        query=HistoryQuery,
        problems=(UnknownSchedule, InvalidQuery),
    )
    def history(name: str) -> Response:
        limit = checked_query(HistoryQuery, request.args).limit
        return jsonify(TicksJson(items=history_json(timetable.history(name, limit))))

    return routes
