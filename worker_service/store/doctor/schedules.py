"""Schedules: each can be read, and its definition means something."""

from ...jobs.errors import InvalidJob
from ...jobs.schedule import Definition
from ..schedules import Damaged, Schedules, StoredSchedule
from .look import Look, Says

CHECK = "schedules"

SAYS: Says = {
    "damaged_schedule": (
        "Schedule {subject} is not fired, for it cannot be used: {detail}.",
        "nothing: put it again or remove it; one of code is declared anew within a minute",
    ),
}


def check_schedules(look: Look) -> None:
    """Each by what schedulers would make of it."""
    reads = Schedules(look.client, look.keys.prefix[1:-2])
    for names in look.names("schedule"):
        for stored in reads.read([name.decode(errors="replace") for name in names]):
            if reason := _why_unusable(stored):
                look.add(CHECK, SAYS, "damaged_schedule", stored.name.encode(), reason)


def _why_unusable(stored: StoredSchedule | Damaged) -> str:
    if isinstance(stored, Damaged):
        return stored.reason
    try:
        Definition.read(stored.definition)
    except InvalidJob as error:
        return str(error)
    return ""
