"""Does what people ask for on a page: shows the question where there is one, and sends it to the HTTP interface.

A form without scripts is all it needs. What protects it is what protects the interface (see api/access.py): a request
that changes anything and comes with a cookie has to be marked by the browser as sent by a page of ours.
"""

import secrets
from typing import Any

from flask import Blueprint, Response, redirect, request
from werkzeug.exceptions import Forbidden, NotFound

from ..api.links import inside
from .actions import ACTIONS, Action, Given
from .asking import Refused
from .notices import leave_notice
from .page import may, page
from .unreadable import by_field

FORM_LIMIT = 2 * 1024 * 1024
"""Twice what the interface takes: as a form, arguments may be longer."""


def add_actions(routes: Blueprint) -> None:
    """The routes of actions, and what templates need to show them."""

    @routes.get("/ui/do/<action>")
    def ask_first(action: str) -> Response:
        asked = _find(action)
        if not may(asked.endpoint):
            raise Forbidden("This key may not do that.")
        return _question(asked, request.args)

    @routes.post("/ui/do/<action>")
    def do(action: str) -> Response:
        asked, given = _find(action), _form()
        try:
            reply = asked.do(given)
        except Refused as error:
            return _question(asked, given, error)
        if asked.shows:
            return page(
                "shown.html", action=asked, shown=reply.json[asked.shows], back=inside(given.get("next", ""))
            )
        address = asked.leads(reply) if asked.leads else inside(given.get("next", ""))
        response: Response = redirect(address, 303)  # type: ignore[assignment]
        leave_notice(response, asked.told(reply))
        return response

    @routes.app_context_processor
    def about() -> dict[str, object]:
        return {"actions": ACTIONS, "once": _once}


def _find(name: str) -> Action:
    if name not in ACTIONS:
        raise NotFound(f"There is no action {name!r}.")
    return ACTIONS[name]


def _form() -> Given:
    request.max_content_length = request.max_form_memory_size = FORM_LIMIT
    return request.form


def _question(action: Action, given: Given, error: Refused | None = None) -> Response:
    says = ""
    try:
        says = action.says(given) if action.says else ""
    except Refused as refused:
        error = error or refused
    context: dict[str, Any] = {
        "action": action,
        "given": given,
        "says": says,
        "problem": error.problem if error else None,
        "errors": by_field(error.problem if error else None),
        "back": inside(given.get("next", "")),
    }
    if action.about:
        context |= action.about(given)
    return page("action.html", error.status if error else 200, **context)


def _once() -> str:
    """Makes the button of one form do one thing, however often it is pressed."""
    return secrets.token_urlsafe(16)
