"""Dead jobs in groups."""

from typing_extensions import TypedDict

from .common import Instant


class FailureErrorJson(TypedDict):
    """The newest error of a group."""

    type: str | None
    message: str | None
    frame: str | None


class FailureLinksJson(TypedDict):
    """Addresses of the newest job of a group, and of all of them."""

    newest: str
    jobs: str


class FailureJson(TypedDict):
    """Dead jobs with one cause; ``per_hour`` counts those that died in each of the last 24 hours, the oldest first."""

    fingerprint: str
    actor: str
    reason: str
    error: FailureErrorJson | None
    count: int
    first_at: Instant | None
    last_at: Instant | None
    per_hour: list[int]
    newest: str
    links: FailureLinksJson


class FailuresJson(TypedDict):
    """Groups of dead jobs, that of the newest first."""

    items: list[FailureJson]
    truncated: bool
