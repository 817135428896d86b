"""A schedule as a form, and what one says as a definition: the fields are those of docs/schedules.md."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from .actions.action import Field, Given, read_fields
from .schema_form import arguments, typed_arguments
from .unreadable import gathered, wrong

WHEN = "when"
"""Which of the rules holds; what was typed for the others stays in the form, and is not sent."""
RULES = (
    Field(
        "cron", "Cron", hint="Minute, hour, day of the month, month, day of the week; or @daily and the like."
    ),
    Field("every_ms", "Interval", kind="duration", hint="Such as 90s, 15m, 1h 30m or 2d."),
    Field("at", "Instant (UTC)", kind="instant"),
)
RULE_NAMES = {"cron": "By the clock", "every_ms": "At an interval", "at": "Once"}
ZONE = Field(
    "timezone",
    "Time zone",
    hint="Whose clocks it goes by, such as Europe/Paris. Left out: that of the service.",
)
MEETING = (
    Field(
        "overlap",
        "While the job before has not ended",
        kind="choice",
        options=(
            ("skip", "skip the tick"),
            ("buffer_one", "let one job wait"),
            ("allow_all", "start another one"),
        ),
    ),
    Field(
        "catch_up",
        "Ticks that came while no scheduler ran",
        kind="choice",
        options=(("latest", "fire the latest"), ("all", "fire them all"), ("skip", "leave them out")),
    ),
)
LIMITS = (
    Field("start_at", "First tick from (UTC)", kind="instant"),
    Field("end_at", "Last tick until (UTC)", kind="instant"),
    Field("max_runs", "Runs in all", kind="number", hint="Left out: any number."),
    Field("catch_up_window_ms", "Catch up at most", kind="duration", hint="Left out: 366 days."),
    Field("jitter_ms", "Jitter", kind="duration", hint="Jobs are due up to so much later."),
    Field("expires_after_ms", "Start within", kind="duration", hint="Else the job expires. Left out: never."),
)


def definition(given: Given, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a form says.

    Args:
        schema: of the actor's arguments.

    Raises:
        Refused: names each field that cannot be read.
    """
    read_args = partial(arguments, schema, given)
    body = gathered(
        [lambda: {"args": read_args()}, lambda: _rule(given), lambda: read_fields((*MEETING, *LIMITS), given)]
    )
    return {"actor": given.get("actor", ""), **body}


def typed(definition: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, str]:
    """What a form says for a definition of the interface."""
    fields = (*RULES, ZONE, *MEETING, *LIMITS)
    return {
        WHEN: next((each.name for each in RULES if definition.get(each.name) is not None), RULES[0].name),
        **{each.name: each.typed(definition.get(each.name)) for each in fields},
        **typed_arguments(schema, definition.get("args", {})),
    }


def _rule(given: Given) -> dict[str, Any]:
    name = given.get(WHEN, "")
    rule = next((each for each in RULES if each.name == name), RULES[0])
    if not given.get(rule.name, "").strip():
        raise wrong(f"/{rule.name}", f"{rule.label}: say when.")
    return read_fields((rule, ZONE) if rule.name == "cron" else (rule,), given)
