"""Queues: each in which jobs wait is in the registry, and why one is paused can be read."""

from .look import Look, Says

CHECK = "queues"

SAYS: Says = {
    "unregistered": (
        "Queue {subject} has jobs, but the registry does not know it: nobody sees it.",
        "register it",
    ),
    "unreadable_pause": (
        "Queue {subject} is paused, but why and until when cannot be read.",
        "leave it paused until it is resumed, with a reason that says so",
    ),
}


def check_queues(look: Look) -> None:
    """Each queue with a key, or with a pause. A wake mark may be missing: some worker knows then of what waits."""
    for queues in look.names("q", "due"):
        look.examine(CHECK, SAYS, "examine_queues", queues)
    for queues in look.members(look.keys.paused):
        look.examine(CHECK, SAYS, "examine_queues", queues)
