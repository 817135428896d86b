"""Enters in the audit log what people do: here for all operations, by their scope, so that no view can forget it.

The command line asks through here too; see `console.service`. Who only reads the log itself is not entered.
"""

import json
import logging

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from ..jobs.errors import StoreUnavailable
from ..store import Audit, Deed
from .body import BODY_LIMIT
from .principal import current_principal
from .problems import request_id
from .scopes import OPEN, SCOPES, Scope
from .whole_body import whole_body

ENTERED = frozenset({Scope.OPERATE, Scope.ADMIN})
READS_THE_LOG = "audit.index"
PAGES = "dashboard."
"""Of endpoints: a page is no deed. What it asks the interface for is entered, once."""

SIGNS_IN = "login.enter"
WHY = ("reason", "note")
"""Fields of bodies that say why."""

LONGEST_WHY, LONGEST_SUBJECT = 500, 300
REFUSED = (401, 403)

_logger = logging.getLogger(__name__)


def install(app: Flask, audit: Audit) -> None:
    """Enter every request that needs one of these scopes; called after access, which says who asks."""

    def begin() -> None:
        if _is_deed() and _scope() in ENTERED:
            g.audit_entry = audit.begin(_deed())

    def end(response: Response) -> Response:
        try:
            _end(audit, response)
        except (
            StoreUnavailable
        ) as error:  # the answer stands; an entry without an end is one that may have been done
            _logger.warning("The audit log does not know how request %s ended: %s", request_id(), error)
        return response

    app.before_request(begin)
    app.after_request(end)


def _end(audit: Audit, response: Response) -> None:
    entry = g.pop("audit_entry", None)
    outcome = f"{response.status_code} {response.headers.get('Location', '')}".strip()
    if entry is not None:
        audit.end(entry, outcome)
    elif response.status_code in REFUSED and _is_worth_telling():
        audit.refuse(_deed(), outcome)
    elif request.endpoint == SIGNS_IN and response.status_code < 400:
        audit.end(audit.begin(_deed()), str(response.status_code))


def _is_deed() -> bool:
    endpoint = request.endpoint or ""
    return endpoint != READS_THE_LOG and not endpoint.startswith(PAGES)


def _is_worth_telling() -> bool:
    """Who has no key and only reads is asked for one; nobody tried anything."""
    return _scope() in ENTERED or "Authorization" in request.headers or request.endpoint == SIGNS_IN


def _scope() -> Scope | None:
    return SCOPES[request.endpoint] if request.endpoint else OPEN


def _deed() -> Deed:
    principal = current_principal()
    return Deed(
        who=principal.id,
        name=principal.name,
        what=request.endpoint or "",
        subject=f"{request.method} {request.path}"[:LONGEST_SUBJECT],
        origin=request.remote_addr or "",
        why=_why()[:LONGEST_WHY].encode(errors="replace").decode(),
        request=request_id(),
    )


def _why() -> str:
    """What the header says, or the body; a body that is wrong is the view's business."""
    if given := request.headers.get("X-Reason"):
        return given
    if request.mimetype != "application/json":
        return ""
    try:
        with whole_body(request, BODY_LIMIT) as body:
            said = json.loads(body)
    except (HTTPException, ValueError, RecursionError):
        return ""
    found = [said[name] for name in WHY if isinstance(said.get(name), str)] if isinstance(said, dict) else []
    return found[0] if found else ""
