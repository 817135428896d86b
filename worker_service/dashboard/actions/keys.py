"""What is done to API keys. A secret is shown on the page that follows, and nowhere else."""

from typing import Any

from ...api.principal import current_principal
from ...api.scopes import Scope
from ..asking import ask
from .action import Action, Field, Given, read_fields

ID = ("id",)
QUOTA = (
    Field(
        "of",
        "Quota of",
        kind="choice",
        options=(("jobs", "jobs it hands in"), ("requests", "all its requests")),
    ),
    Field("per_minute", "In each minute", kind="number", hint="Left out: any number."),
)


def _key(given: Given) -> dict[str, Any]:
    """The body of a new key."""
    body = read_fields(ADD_KEY.fields, given)
    if "actors" in body:
        body["actors"] = body["actors"].split()
    quota = {each.name: body.pop(each.name, None) for each in QUOTA}
    return {**body, "quota": quota} if quota["per_minute"] is not None else body


def _says_whose(given: Given) -> str:
    key = ask("keys.show", {"id": given.get("id", "")}).json
    own = " It is the one that you are signed in with." if key["id"] == current_principal().id else ""
    return f"Its name is “{key['name']}”.{own}"


ADD_KEY = Action(
    name="add-key",
    endpoint="keys.add",
    button="New key",
    title="New key",
    done="The key is made.",
    fields=(
        Field("name", "Name", required=True),
        Field(
            "scopes",
            "What it may do",
            kind="several",
            options=(
                (Scope.SUBMIT, "submit jobs"),
                (Scope.READ, "read everything but keys and the audit log"),
                (Scope.OPERATE, "operate: retry, cancel, pause and the like"),
                (Scope.ADMIN, "all of it, and manage keys"),
            ),
        ),
        Field("actors", "Actors", hint="Left out: all. Parted by spaces."),
        Field(
            "expires_in_ms",
            "Taken for",
            kind="duration",
            hint="Such as 12h or 90d. Left out: until it is revoked.",
        ),
        *QUOTA,
    ),
    body=_key,
    shows="key",
)
ROTATE_KEY = Action(
    name="rotate-key",
    endpoint="keys.rotate",
    button="Another secret",
    title="Give the key {id} another secret?",
    says=_says_whose,
    done="The key has another secret.",
    places=ID,
    fields=(
        Field(
            "overlap_ms",
            "The one before is taken for",
            kind="duration",
            hint="Such as 1h, until all who use it have the new one. Left out: no longer at all.",
        ),
    ),
    is_grave=True,
    shows="key",
)
REVOKE_KEY = Action(
    name="revoke-key",
    endpoint="keys.revoke",
    button="Revoke",
    title="Revoke the key {id}?",
    says=_says_whose,
    text="Within 5 s no process takes it.",
    done="The key is revoked.",
    places=ID,
    is_grave=True,
)
ACTIONS = (ADD_KEY, ROTATE_KEY, REVOKE_KEY)
