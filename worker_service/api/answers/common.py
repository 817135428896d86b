"""What many answers have in common."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""In UTC, with milliseconds."""


class LinksJson(TypedDict):
    """Addresses."""

    self: str


class ErrorJson(TypedDict):
    """An exception of an actor, or what the service says in its place."""

    type: str
    message: str
    frame: str | None
    traceback: str


class WrongJson(TypedDict):
    """One wrong part of a request."""

    pointer: str
    detail: str
    code: str


class ProblemJson(TypedDict):
    """What went wrong (RFC 9457); ``job_id`` is that of a job which does the same work."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: NotRequired[list[WrongJson]]
    job_id: NotRequired[str]


class StatusJson(TypedDict):
    """The process can do its work."""

    status: Literal["ok"]
