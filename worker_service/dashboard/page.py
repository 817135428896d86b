"""What every page has: the frame around it, and who looks at it."""

import time
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response, render_template, request

from ..api.principal import NOBODY, current_principal
from ..api.scopes import SCOPES
from ..jobs.errors import ActorNotAllowed
from ..settings import Settings
from .look import THEMES, Look
from .notices import forget_notice, notice

NAVIGATION = (
    ("dashboard.overview", "Overview", "o"),
    ("dashboard.jobs", "Jobs", "j"),
    ("dashboard.failures", "Failures", "f"),
    ("dashboard.queues", "Queues", "q"),
    ("dashboard.schedules", "Schedules", "s"),
    ("dashboard.workers", "Workers", "w"),
    ("dashboard.actors", "Actors", "a"),
    ("dashboard.system", "System", "y"),
)
"""Endpoint of each page that stands in the navigation, its name, and the letter that leads there after ``g``."""


def page(template: str, status: int = 200, **context: Any) -> Response:
    """The answer with a page."""
    response = make_response(render_template(template, **context), status)
    forget_notice(response)
    return response


def may(endpoint: str, actor: str | None = None) -> bool:
    """Whether who looks may ask this of the HTTP interface, if it runs jobs: those of this actor."""
    principal, scope = current_principal(), SCOPES[endpoint]
    if scope is not None and not principal.may(scope):
        return False
    try:
        if actor is not None:
            principal.check_actor(actor)
    except ActorNotAllowed:
        return False
    return True


def here() -> str:
    """The address of the page, encoded as it was, for forms and links that come back to it."""
    query = request.query_string.decode(errors="replace")
    return quote(request.path) + (f"?{query}" if query else "")


def add_frame(routes: Blueprint, settings: Settings) -> None:
    """Have the templates of all pages know these names."""

    @routes.app_context_processor
    def frame() -> dict[str, object]:
        is_known = current_principal() is not NOBODY  # nobody is told where he is
        return {
            "navigation": [each for each in NAVIGATION if may(each[0])],
            "place": (settings.environment or settings.namespace) if is_known else "",
            "environment": settings.environment if is_known else None,
            "look": Look.of(request),
            "themes": THEMES,
            "here": here(),
            "now_ms": time.time_ns() // 1_000_000,
            "notice": notice(),
            "may": may,
        }
