"""What ``POST /v1/jobs:batch`` may say: JSON (an array, or an object around it) or one JSON object per line."""

from dataclasses import dataclass
from typing import Annotated, Any

from flask import Request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import BadRequest, LengthRequired, RequestEntityTooLarge

from ..jobs.errors import InvalidJob
from .body import JSON, after_space, media_type, parsed, parsed_at
from .checked import checked
from .requests import JobRequest

BATCH_LIMIT = 16 * 1024 * 1024
ITEM_LIMIT = 128 * 1024
MOST_ITEMS = 5_000
NDJSON = "application/x-ndjson"

_EXAMPLE = {"actor": "add", "args": {"x": 1, "y": 2}, "idempotency_key": "order-17"}


class BatchItem(JobRequest):
    """One job of a batch."""

    idempotency_key: str | None = Field(default=None, pattern=r"^[!-~]{1,255}$")


class BatchOptions(BaseModel):
    """What stands beside the jobs of a batch."""

    model_config = ConfigDict(extra="forbid")

    jobs: list[Any]
    atomic: bool = False


class BatchRequest(BatchOptions):
    """A batch with options, for documents. What is wrong with one job does not make the request wrong."""

    jobs: list[BatchItem | Any] = Field(max_length=MOST_ITEMS)


BATCH_BODY = Annotated[
    BatchRequest | Annotated[list[BatchItem | Any], Field(max_length=MOST_ITEMS)],
    Field(examples=[[_EXAMPLE], {"jobs": [_EXAMPLE], "atomic": True}]),
]
"""For documents."""

NDJSON_EXAMPLE = """\
{"actor": "add", "args": {"x": 1, "y": 2}}
{"actor": "add", "args": {"x": 3, "y": 4}}
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it was sent.

    Attributes:
        items: a JSON value for each job, or what is wrong with its line.
        atomic: whether all jobs are to be created or none.
    """

    items: "list[Any | InvalidJob]"
    atomic: bool = False


def read_batch(request: Request, body: bytes) -> Batch:
    """The batch that a body holds.

    Raises:
        UnsupportedMediaType: it is sent as something else.
        LengthRequired: it is lines, and does not say how many bytes they have.
        RequestEntityTooLarge: it has more than `MOST_ITEMS` jobs, or one of more than `ITEM_LIMIT` bytes.
        BadRequest: it is not JSON, or neither an array nor an object.
        InvalidQuery: a field of the object is wrong.
    """
    if media_type(request, JSON, NDJSON) == NDJSON:
        if (
            request.content_length is None
        ):  # each line is whole by itself, so nothing would show that the rest is lost
            raise LengthRequired(
                "Send lines with a Content-Length: without it a batch that is cut off looks whole."
            )
        return Batch(_lines(body))
    try:
        text = body.decode()
        begin = after_space(text, 0)
        if text.startswith("[", begin):
            items, end = _array(text, begin)
            options: dict[str, Any] = {"jobs": items}
        elif text.startswith("{", begin):
            options, end = _object(text, begin)
        else:
            raise BadRequest("The body has to be a JSON array, or a JSON object with the field 'jobs'.")
        if after_space(text, end) != len(text):
            raise ValueError(f"Extra data: char {end}")
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None
    found = checked(BatchOptions, options)
    return Batch(found.jobs, found.atomic)


def _lines(body: bytes) -> "list[Any | InvalidJob]":
    items: list[Any | InvalidJob] = []
    for line in body.split(b"\n"):
        if line.isspace() or not line:
            continue
        _check_size(len(items), len(line))
        try:
            items.append(parsed(line.decode()))
        except ValueError as error:
            items.append(InvalidJob(f"The line is not JSON: {error}.", code="not_json"))
        _check_number(items)
    return items


def _array(text: str, begin: int) -> tuple[list[Any], int]:
    """The values of an array that begins at a place of a text, each of a size that is allowed, and where it ends."""
    items: list[Any] = []
    at, more = _enter(text, begin, "]")
    while more:
        value, end = parsed_at(text, at)
        if (end - at) * 4 > ITEM_LIMIT:  # a character has up to four bytes
            _check_size(len(items), len(text[at:end].encode()))
        items.append(value)
        _check_number(items)
        at, more = _go_on(text, end, "]")
    return items, at


def _object(text: str, begin: int) -> tuple[dict[str, Any], int]:
    """The same of an object, the jobs in it one by one."""
    found: dict[str, Any] = {}
    at, more = _enter(text, begin, "}")
    while more:
        name, at = parsed_at(text, at)
        at = after_space(text, at)
        if not isinstance(name, str) or name in found or not text.startswith(":", at):
            raise ValueError(f"a new name and a colon have to stand before char {at}")
        at = after_space(text, at + 1)
        read = _array if name == "jobs" and text.startswith("[", at) else parsed_at
        found[name], at = read(text, at)
        at, more = _go_on(text, at, "}")
    return found, at


def _enter(text: str, begin: int, closing: str) -> tuple[int, bool]:
    """The place behind a bracket, and whether anything stands there."""
    at = after_space(text, begin + 1)
    return (at + 1, False) if text.startswith(closing, at) else (at, True)


def _go_on(text: str, end: int, closing: str) -> tuple[int, bool]:
    """The place behind a value, and whether another one stands there."""
    at = after_space(text, end)
    if text.startswith(closing, at):
        return at + 1, False
    if not text.startswith(",", at):
        raise ValueError(f"expecting ',' or '{closing}': char {at}")
    return after_space(text, at + 1), True


def _check_number(items: list[Any]) -> None:
    if len(items) > MOST_ITEMS:
        raise RequestEntityTooLarge(f"The batch has more than {MOST_ITEMS} jobs.")


def _check_size(position: int, size: int) -> None:
    if size > ITEM_LIMIT:
        raise RequestEntityTooLarge(f"The job {position} of the batch has more than {ITEM_LIMIT} bytes.")
