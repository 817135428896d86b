"""The audit log over HTTP."""

from typing import Annotated

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ..jobs import instants
from ..jobs.errors import InvalidQuery
from ..jobs.instants import to_text
from ..store import Audit, AuditEntry
from .answers import AuditEntryJson, AuditPageJson
from .checked import Digits, checked_query
from .documented import documented
from .lists import paged
from .requests import Instant


class AuditQuery(BaseModel):
    """The query of ``GET /v1/audit``."""

    model_config = ConfigDict(extra="forbid")

    who: str | None = Field(default=None, description="Id or name of a key, or of a person at a terminal.")
    what: str | None = Field(default=None, description="An operation, or the noun before its dot.")
    since: Instant | None = None
    refused: bool = Field(default=False, description="What was refused, in place of what was let through.")
    limit: Digits = Field(default=50, ge=1, le=500)
    cursor: Annotated[str, StringConstraints(pattern="^[1-9][0-9]{0,14}-[0-9]{1,15}$")] | None = None


def audit(log: Audit) -> Blueprint:
    """The route of the log."""
    routes = Blueprint("audit", __name__)

    @routes.get("/v1/audit")
    @documented(
        "List what people did, the newest first.",
        {200: AuditPageJson},
        query=AuditQuery,
        sends=("Link",),
        problems=(InvalidQuery,),
    )
    def index() -> Response:
        query = checked_query(AuditQuery, request.args)
        since_ms = instants.to_ms(query.since) if query.since else 0
        entries, cursor = log.page(
            query.limit,
            before=query.cursor,
            who=query.who,
            what=query.what,
            since_ms=since_ms,
            refused=query.refused,
        )
        items = [_entry_json(each) for each in entries]
        return paged(AuditPageJson(items=items, next_cursor=cursor), "/v1/audit")

    return routes


def _entry_json(entry: AuditEntry) -> AuditEntryJson:
    status, _, made = entry.end.partition(" ")
    deed = entry.deed
    return {
        "id": entry.id,
        "at": to_text(entry.at_ms),
        "who": {"id": deed.who, "name": deed.name},
        "what": deed.what,
        "subject": deed.subject,
        "from": deed.origin,
        "why": deed.why or None,
        "request_id": deed.request,
        "status": int(status) if status.isdigit() else None,
        "made": made or None,
    }
