"""What is done to a schedule."""

import json
from typing import Any

from flask import url_for

from ...jobs.time_zones import zones
from .. import schedule_form
from ..asking import Refused, Reply, ask, read
from ..page import may
from ..schedule_form import WHEN, definition, typed
from ..schema_form import fields_of, takes_further
from ..unreadable import wrong
from .action import Action, Field, Given
from .jobs import job_page

NAME = ("name",)
DEFINITION = Field(
    "definition",
    "Definition, as JSON",
    kind="json",
    required=True,
    hint="actor, args, and one of cron, every_ms and at; timezone, overlap and more: see docs/schedules.md.",
)


def _page(reply: Reply) -> str:
    return url_for("dashboard.schedule", name=reply.json["name"])


def _body(given: Given) -> dict[str, Any]:
    if DEFINITION.name not in given:
        return definition(given, _schema(given.get("actor", "")))
    found = DEFINITION.read(given[DEFINITION.name])
    if not isinstance(found, dict):
        raise wrong("/definition", "The definition has to be a JSON object.")
    return found


def _schema(actor: str) -> dict[str, Any]:
    """Of an actor that is not known here: one that names no argument."""
    try:
        found: dict[str, Any] = read("actors.show", {"name": actor})["args"]
    except Refused as error:
        if error.status != 404:
            raise
        return {}
    return found


def _about_new(given: Given) -> dict[str, Any]:
    return _form(given, json.dumps({"actor": given.get("actor", ""), "args": {}, "cron": ""}, indent=2))


def _about_kept(given: Given) -> dict[str, Any]:
    """What is kept, unless something else was typed and refused."""
    found = ask("schedules.show", {"name": given.get("name", "")})
    kept = found.json.get("definition", {})
    actor = given.get("actor") or kept.get("actor", "")
    texts = {"edition": found.headers.get("ETag", ""), "actor": actor}
    if WHEN not in given:
        texts |= typed(kept, _schema(actor))
    return _form(
        Given(
            [*given.items(multi=True), *((name, text) for name, text in texts.items() if name not in given)]
        ),
        json.dumps(kept, ensure_ascii=False, indent=2),
    )


def _form(given: Given, text: str) -> dict[str, Any]:
    """What the template shows.

    Args:
        text: the definition as JSON, as long as no other one was typed.
    """
    actor = given.get("actor", "")
    schema = _schema(actor) if actor else {}
    known = [each["name"] for each in read("actors.index")["items"]]
    return {
        "given": given,
        "arguments": fields_of(schema),
        "takes_further": takes_further(schema),
        "actors": [name for name in dict.fromkeys([*known, actor]) if name and may("schedules.put", name)],
        "zones": sorted(zones()),
        "text": given.get(DEFINITION.name, text),
        "parts": schedule_form,
    }


def _edition(given: Given) -> dict[str, str]:
    """Nobody else's change is overwritten, and no other schedule by a new one."""
    edition = given.get("edition", "")
    return {"If-Match": edition} if edition else {"If-None-Match": "*"}


RUN_SCHEDULE = Action(
    name="run-schedule",
    endpoint="schedule_ticks.run",
    button="Run now",
    title="Run the schedule {name} now",
    done="A job was made.",
    places=NAME,
    leads=job_page,
    is_once=True,
)
PAUSE_SCHEDULE = Action(
    name="pause-schedule",
    endpoint="schedules.pause",
    button="Pause",
    title="Pause the schedule {name}",
    text="None of its ticks is fired until somebody resumes it.",
    done="The schedule is paused.",
    places=NAME,
    fields=(Field("note", "Why", required=True),),
)
RESUME_SCHEDULE = Action(
    name="resume-schedule",
    endpoint="schedules.resume",
    button="Resume",
    title="Resume the schedule {name}",
    done="The ticks of the schedule are fired again.",
    places=NAME,
)
DELETE_SCHEDULE = Action(
    name="delete-schedule",
    endpoint="schedules.delete",
    button="Delete",
    title="Delete the schedule {name}?",
    text="Its jobs stay.",
    done="The schedule is removed.",
    places=NAME,
    leads=lambda _: url_for("dashboard.schedules"),
    is_grave=True,
)
CREATE_SCHEDULE = Action(
    name="create-schedule",
    endpoint="schedules.put",
    button="New schedule",
    title="New schedule",
    done="The schedule is made.",
    places=NAME,
    fields=(Field("name", "Name", required=True, hint="Letters, digits, '_', '-' and '.'"),),
    form="schedule_form.html",
    about=_about_new,
    body=_body,
    headers=_edition,
    leads=_page,
)
EDIT_SCHEDULE = Action(
    name="edit-schedule",
    endpoint="schedules.put",
    button="Edit",
    title="Edit the schedule {name}",
    done="The schedule is changed.",
    places=NAME,
    hidden=("edition",),
    form="schedule_form.html",
    about=_about_kept,
    body=_body,
    headers=_edition,
    leads=_page,
)
BACKFILL_SCHEDULE = Action(
    name="backfill-schedule",
    endpoint="schedule_ticks.backfill",
    button="Backfill",
    title="Make the jobs of past ticks of {name}",
    text="Each tick has its job once, however often it is asked for.",
    done="Ticks of that time, each of which has its job now: {items}.",
    places=NAME,
    fields=(
        Field("from", "From (UTC)", kind="instant", required=True),
        Field("to", "To (UTC)", kind="instant", required=True),
    ),
)
ACTIONS = (
    RUN_SCHEDULE,
    PAUSE_SCHEDULE,
    RESUME_SCHEDULE,
    DELETE_SCHEDULE,
    CREATE_SCHEDULE,
    EDIT_SCHEDULE,
    BACKFILL_SCHEDULE,
)
