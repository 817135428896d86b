"""Places: whoever stands in one belongs there."""

from .look import Look, Says

CHECK = "places"

KINDS = {"q": "ready", "due": "due", "running": "held", "final": "ended"}
"""Family of keys -> what examine_places calls it."""

SAYS: Says = {
    "no_job": ("{subject} stands in {detail}, but there is no such job.", "remove it from there"),
    "astray": ("Job {subject} stands in {detail}, where it does not belong.", "remove it from there"),
}


def check_places(look: Look) -> None:
    """The list of all jobs, that of deadlines, and each queue, session and final state."""
    for key, kind in ((look.keys.jobs, "listed"), (look.keys.deadlines, "deadline")):
        for ids in look.members(key):
            look.examine(CHECK, SAYS, "examine_places", ids, kind, "")
    for family, kind in KINDS.items():
        for names in look.names(family):
            for name in names:
                for ids in look.members(look.key(family, name)):
                    look.examine(CHECK, SAYS, "examine_places", ids, kind, name)
