"""What a request for a list of jobs may say."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from werkzeug.datastructures import MultiDict

from ..jobs.errors import InvalidJob, InvalidQuery
from ..jobs.validation import problems, summary
from ..store import Place
from .filters import FilterRequest

MOST = 500

Q = TypeVar("Q", bound=BaseModel)


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


class FailuresQuery(BaseModel):
    """The query of ``GET /v1/failures``: it has none."""

    model_config = ConfigDict(extra="forbid")


def read_query(model: type[Q], given: "MultiDict[str, str]") -> Q:
    """What a list is asked for.

    Args:
        model: what may be asked.
        given: the query of the request.

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
        return model.model_validate(values)
    except ValidationError as error:
        found = problems(error, values, known=model.model_fields, noun="parameter", pointer="/query")
        raise InvalidQuery(summary(found), problems=found) from None
