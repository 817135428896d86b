"""Lists in pages: what a request for one may say, and how its answer leads to the next."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from flask import Response, jsonify, request
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from ..jobs.states import State
from ..store import JobFilter, Place
from .checked import Digits
from .filters import FilterRequest
from .links import link

MOST = 500


def _place(text: str) -> Place:
    try:
        return Place.from_text(text)
    except ValueError:
        raise ValueError("Use the next_cursor of the page before.") from None


Cursor = Annotated[Place, BeforeValidator(_place), WithJsonSchema({"type": "string"})]
"""Where a page begins; models with one allow arbitrary types."""


def paged(page: Mapping[str, Any], path: str) -> Response:
    """The answer with a page of a list.

    Args:
        page: with ``next_cursor``.
        path: of the list.
    """
    response = jsonify(page)
    if page["next_cursor"] is not None:
        more = urlencode({**request.args.to_dict(), "cursor": page["next_cursor"]})
        response.headers["Link"] = f'<{link(path)}?{more}>; rel="next"'
    return response


class ListQuery(FilterRequest):
    """The query of ``GET /v1/jobs``."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    q: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Stands in the id, actor, queue, tags, error or arguments; looked for in the newest 10,000 jobs.",
    )
    error: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Stands in the type or the message of the last error; looked for as `q` is.",
    )
    arg: Annotated[str, StringConstraints(pattern="^[^:]+:", max_length=300)] | None = Field(
        default=None,
        description="An argument and its value, such as `user_id:42` or `order.id:7`; looked for as `q` is, in "
        "messages of at most 4 KiB.",
    )
    limit: Digits = Field(default=50, ge=1, le=MOST)
    cursor: Cursor | None = None

    def wanted(self, states: tuple[State, ...] = ()) -> JobFilter:
        """The same for the store; see `FilterRequest.wanted`."""
        path, _, value = (self.arg or "").partition(":")
        argument = (path, value) if self.arg else None
        return replace(super().wanted(states), text=self.q, error=self.error, argument=argument)
