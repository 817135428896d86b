"""What belongs to jobs: outputs, attempts, logs, ledgers, tags and webhooks go with their job."""

from .look import Look, Says

CHECK = "belongings"

FAMILIES = ("out", "attempts", "log", "step", "tags", "hook")

SAYS: Says = {
    "leak": ("The key {detail}:{subject} belongs to no job: it would never be removed.", "remove it"),
}


def check_belongings(look: Look) -> None:
    """Each key that is kept beside a record."""
    for family in FAMILIES:
        for ids in look.names(family):
            look.examine(CHECK, SAYS, "examine_belongings", ids, family)
