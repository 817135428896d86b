"""What is done to a schedule."""

from typing import Any

from .action import Action, Field, Given, wrong
from .jobs import job_page

NAME = ("name",)
DEFINITION = Field(
    "definition",
    "Definition, as JSON",
    kind="json",
    required=True,
    hint="actor, args, and one of cron, every_ms and at; timezone, overlap and more: see docs/schedules.md.",
)


def _definition(given: Given) -> dict[str, Any]:
    found = DEFINITION.read(given.get("definition", ""))
    if not isinstance(found, dict):
        raise wrong("/definition", "The definition has to be a JSON object.")
    return found


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
    is_grave=True,
)
CREATE_SCHEDULE = Action(
    name="create-schedule",
    endpoint="schedules.put",
    button="New schedule",
    title="New schedule",
    done="The schedule is made.",
    places=NAME,
    fields=(Field("name", "Name", required=True, hint="Letters, digits, '_', '-' and '.'"), DEFINITION),
    body=_definition,
    headers=_edition,
)
EDIT_SCHEDULE = Action(
    name="edit-schedule",
    endpoint="schedules.put",
    button="Keep",
    title="Edit the schedule {name}",
    done="The schedule is changed.",
    places=NAME,
    fields=(DEFINITION,),
    hidden=("edition",),
    body=_definition,
    headers=_edition,
)
BACKFILL_SCHEDULE = Action(
    name="backfill-schedule",
    endpoint="schedule_ticks.backfill",
    button="Backfill",
    title="Make the jobs of past ticks of {name}",
    text="Each tick has its job once, however often it is asked for.",
    done="The jobs of these ticks are made.",
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
