"""What is done to API keys. A secret is shown on the page that follows, and nowhere else."""

from typing import Any

from .action import Action, Field, Given

ID = ("id",)
SCOPES = ("submit", "read", "operate", "admin")


def _key(given: Given) -> dict[str, Any]:
    """The body of a new key."""
    days = ADD_KEY.fields[3].read(given.get("days", ""))
    actors = given.get("actors", "").split()
    body = {
        "name": given.get("name", ""),
        "scopes": given.get("scopes", "").split(),
        "actors": actors or None,
        "expires_in_ms": days and days * 86_400_000,
    }
    return {name: value for name, value in body.items() if value is not None}


ADD_KEY = Action(
    name="add-key",
    endpoint="keys.add",
    button="New key",
    title="New key",
    done="The key is made.",
    fields=(
        Field("name", "Name", required=True),
        Field("scopes", "Scopes", required=True, hint=f"Of {', '.join(SCOPES)}; parted by spaces."),
        Field("actors", "Actors", hint="Left out: all. Parted by spaces."),
        Field("days", "Days that it is taken", kind="number", hint="Left out: until it is revoked."),
    ),
    body=_key,
    shows="key",
)
ROTATE_KEY = Action(
    name="rotate-key",
    endpoint="keys.rotate",
    button="Another secret",
    title="Give the key {id} another secret?",
    text="The one before is taken no longer.",
    done="The key has another secret.",
    places=ID,
    is_grave=True,
    shows="key",
)
REVOKE_KEY = Action(
    name="revoke-key",
    endpoint="keys.revoke",
    button="Revoke",
    title="Revoke the key {id}?",
    text="Within 5 s no process takes it.",
    done="The key is revoked.",
    places=ID,
    is_grave=True,
)
ACTIONS = (ADD_KEY, ROTATE_KEY, REVOKE_KEY)
