"""Sessions: each that is listed has its record, and nothing is left of one that is gone."""

from .look import Look, Says

CHECK = "sessions"

SAYS: Says = {
    "unknown_session": (
        "Session {subject} is listed, but what it is has been lost.",
        "note that it is open since now; host and process stay unknown",
    ),
    "gone_session": ("Session {subject} is gone, but some of its keys are left.", "remove them"),
}


def check_sessions(look: Look) -> None:
    """Those that are listed, and those that keys tell of."""
    for sessions in look.members(look.keys.sessions):
        look.examine(CHECK, SAYS, "examine_sessions", sessions)
    for sessions in look.names("session", "running", "claim", "bell"):
        look.examine(CHECK, SAYS, "examine_sessions", sessions)
