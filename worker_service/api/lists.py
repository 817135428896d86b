"""What a request for a list of jobs may say."""

from typing import Any

from pydantic import ConfigDict, Field, ValidationError, field_validator
from werkzeug.datastructures import MultiDict

from ..jobs.errors import InvalidJob, InvalidQuery
from ..jobs.validation import problems, summary
from ..store import Place
from .filters import FilterRequest

MOST = 500


class ListQuery(FilterRequest):
    """The query of ``GET /v1/jobs``."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    limit: int = Field(default=50, ge=1, le=MOST)
    cursor: Place | None = None

    @field_validator("cursor", mode="before")
    @classmethod
    def _read_cursor(cls, value: str) -> Place:
        try:
            return Place.from_text(value)
        except ValueError:
            raise ValueError("Use the next_cursor of the page before.") from None


def read_list_query(given: "MultiDict[str, str]") -> ListQuery:
    """What a list is asked for.

    Raises:
        InvalidQuery: with one problem per wrong parameter.
    """
    values: dict[str, Any] = given.to_dict()
    twice: list[InvalidJob] = [
        InvalidQuery(f"Give {name!r} once.", pointer=f"/query/{name}")
        for name in given
        if len(given.getlist(name)) > 1
    ]
    if twice:
        raise InvalidQuery(summary(twice), problems=twice)
    try:
        return ListQuery.model_validate(values)
    except ValidationError as error:
        found = problems(error, values, known=ListQuery.model_fields, noun="parameter", pointer="/query")
        raise InvalidQuery(summary(found), problems=found) from None
