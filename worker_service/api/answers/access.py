"""API keys and the audit log."""

from typing_extensions import TypedDict

from ...jobs.quota import Unit
from .common import Instant, LinksJson


class QuotaJson(TypedDict):
    """How much a key may ask for."""

    of: Unit
    per_minute: int


class KeyJson(TypedDict):
    """An API key, without its secret."""

    id: str
    name: str
    scopes: list[str]
    actors: list[str] | None
    quota: QuotaJson | None
    created_at: Instant | None
    expires_at: Instant | None
    used_at: Instant | None
    rotated_at: Instant | None
    old_secret_until: Instant | None
    links: LinksJson


class MadeKeyJson(KeyJson):
    """An API key, and its secret for the one time that it is shown."""

    key: str


class KeysJson(TypedDict):
    """All API keys."""

    items: list[KeyJson]


class AuditWhoJson(TypedDict):
    """Who did it."""

    id: str
    name: str


AuditEntryJson = TypedDict(
    "AuditEntryJson",
    {
        "id": str,
        "at": Instant | None,
        "who": AuditWhoJson,
        "what": str,
        "subject": str,
        "from": str,  # a word of Python, so this class is written as a call
        "why": str | None,
        "request_id": str,
        "status": int | None,
        "made": str | None,
    },
)
"""What somebody did; without a status nobody told what became of it."""


class AuditPageJson(TypedDict):
    """A page of the audit log, the newest entry first; with a filter a page may be short and yet not the last one."""

    items: list[AuditEntryJson]
    next_cursor: str | None
