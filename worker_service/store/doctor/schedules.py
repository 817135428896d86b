"""Schedules: each has a name, a place and numbers that can be used, and its definition means something."""

from ..schedule_record import Damaged, meaning_of
from ..schedules import Schedules
from .look import Look, Says

CHECK = "schedules"

SAYS: Says = {
    "damaged_schedule": (
        "Schedule {subject} is not fired, for it cannot be used: {detail}.",
        "nothing: put it again or remove it; one of code is declared anew within a minute",
    ),
    "bad_name": (
        "There is an entry {subject} among the schedules, a name that none can have.",
        "take it out, and keep what is under it aside for 30 days",
    ),
    "no_schedule": ("Schedule {subject} is listed, but is not there.", "take it out of the list"),
    "unlisted": ("Schedule {subject} is not listed, so it is not fired.", "list it by its next tick"),
    "unmarked": (
        "Schedule {subject} does not say {detail}.",
        "give it a uid of its own; it belongs to the API",
    ),
    "no_number": (
        "A number of {subject} is none: {detail}.",
        "replace it: what was due until now counts as dealt with, counters begin anew",
    ),
}


def check_schedules(look: Look) -> None:
    """Each by what schedulers would make of it."""
    reads = Schedules(look.client, look.keys.prefix[1:-2])
    for names in look.names("schedule"):
        look.examine(CHECK, SAYS, "examine_schedules", names)
        for stored in reads.read([name.decode(errors="replace") for name in names]):
            meaning = meaning_of(stored)
            if isinstance(meaning, Damaged):
                look.add(CHECK, SAYS, "damaged_schedule", meaning.name.encode(), meaning.reason)
    for names in look.members(look.keys.schedules):
        there = look.client.exists
        lost = [name for name in names if not there(look.key("schedule", name))]
        look.examine(CHECK, SAYS, "examine_schedules", lost)
