"""Keys: each of the namespace is known and has its type, and the numbers that scripts count on are numbers."""

from ..schema import SCHEMA
from .look import Look, Says

CHECK = "keys"

TYPES = {
    "jobs": "zset",
    "queues": "hash",
    "paused": "hash",
    "limits": "hash",
    "sessions": "zset",
    "deadlines": "zset",
    "arrivals": "string",
    "meta": "hash",
    "watch": "string",
    "deliveries": "zset",
    "counted": "zset",
    "schedules": "zset",
    "schedulers": "zset",
    "leader": "string",
    "api_keys": "zset",
    "audit": "stream",
    "audit_ends": "hash",
    "refusals": "stream",
}
"""Keys with a name of their own."""

FAMILIES = {
    "job": "hash",
    "msg": "string",
    "out": "hash",
    "attempts": "list",
    "log": "stream",
    "step": "hash",
    "tags": "string",
    "tag": "zset",
    "hook": "hash",
    "final": "zset",
    "q": "zset",
    "due": "zset",
    "wake": "zset",
    "bell": "zset",
    "session": "hash",
    "running": "hash",
    "claim": "hash",
    "group": "hash",
    "schedule": "hash",
    "ticks": "stream",
    "asked": "stream",
    "api_key": "hash",
    "login": "hash",
    "login_code": "string",
    "idem": "hash",
    "unique": "hash",
    "total": "hash",
    "m": "hash",
    "t": "hash",
    "h": "hash",
    "quota": "string",
}
"""Families of keys, by what stands before the second colon of their names."""

_ASIDE = b"aside:"

SAYS: Says = {
    "unknown_key": ("The key {subject} is none of ours.", "nothing: whoever made it has to remove it"),
    "other_type": (
        "The key {subject} is a {detail}, so whatever needs it fails.",
        "move it to aside:{subject}, where it expires after 30 days, and make anew what belongs there",
    ),
    "no_counter": (
        "The counter {detail} of {subject} is no number to which can be added.",
        "begin it anew",
    ),
    "no_number": (
        "The value of {subject} is no number ({detail}), so whatever counts on it fails.",
        "replace it: arrivals go on above all earlier ones, rescues after one lease",
    ),
    "no_schema": (
        "The value of {subject} is missing, so a start takes the data for those of its own version.",
        "write that of this version",
    ),
}


def check_keys(look: Look) -> None:
    """Every key of the namespace, and single numbers."""
    for names in look.names(""):
        kinds = {name: kind_of(name) for name in names if not name.startswith(_ASIDE)}
        for name, kind in kinds.items():
            if kind is None:
                look.add(CHECK, SAYS, "unknown_key", name)
        pairs = [part for name, kind in kinds.items() if kind for part in (name, kind.encode())]
        look.examine(CHECK, SAYS, "examine_types", pairs, width=2)
    look.examine(CHECK, SAYS, "examine_numbers", [], SCHEMA)
    for family in ("total", "m", "t", "h"):
        for names in look.names(family):
            look.examine(CHECK, SAYS, "examine_counters", names, family)


def kind_of(name: bytes) -> str | None:
    """The type that a key should have; None when no key should have this name."""
    family, colon, rest = name.decode(errors="replace").partition(":")
    if not colon:
        return TYPES.get(family)
    return FAMILIES.get(family) if rest else None
