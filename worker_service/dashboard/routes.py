"""All routes of the pages, and what their templates may call."""

from collections.abc import Callable

from flask import Blueprint

from ..jobs.durations import duration
from ..settings import Settings
from . import cron_words, filtering, json_view, schema_form, spans, timeline, wording
from .acting import add_actions
from .errors import add_errors
from .look import add_look
from .page import add_frame
from .pages import PAGES

FILTERS: tuple[Callable[..., object], ...] = (
    wording.ms,
    duration,
    wording.rfc_3339,
    wording.clock,
    wording.local_clock,
    wording.with_clocks,
    wording.prose,
    wording.first_line,
    wording.number,
    spans.waited_ms,
    spans.ran_ms,
    json_view.folded,
    json_view.brief,
    filtering.condition,
    cron_words.cron_words,
    wording.size,
    timeline.tick_word,
    schema_form.option_text,
)


def dashboard(settings: Settings) -> Blueprint:
    """The routes of the pages and of what they load."""
    routes = Blueprint("dashboard", __name__, template_folder="templates", static_folder="static")
    add_frame(routes, settings)
    for add_page in PAGES:
        add_page(routes)
    add_actions(routes)
    add_look(routes)
    add_errors(routes)
    for each in FILTERS:
        routes.add_app_template_filter(each)
    return routes
