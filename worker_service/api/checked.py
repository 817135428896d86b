"""A body, or a query, checked against a model."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticKnownError
from werkzeug.datastructures import MultiDict

from ..jobs.errors import InvalidJob, InvalidQuery
from ..jobs.validation import check, problems, summary

M = TypeVar("M", bound=BaseModel)

_NUMBER = re.compile(r"-?[0-9]{1,18}")


def _digits(text: object) -> object:
    if isinstance(text, str) and not _NUMBER.fullmatch(text):
        raise PydanticKnownError("int_parsing")  # pydantic takes "1_0" and " 10 " too
    return text


Digits = Annotated[int, BeforeValidator(_digits)]
"""A whole number in the query of an address."""


class NoFields(BaseModel):
    """The body of an operation that needs none: nothing, or an empty object."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})


def checked(model: type[M], given: dict[str, Any], pointer: str = "") -> M:
    """What a JSON object says.

    Args:
        pointer: where it stands in the body.

    Raises:
        InvalidQuery: with one problem per wrong field.
    """
    try:
        return check(model, given)[0]
    except ValidationError as error:
        raise _refused(error, model, given, "field", pointer) from None


def checked_query(model: type[M], given: "MultiDict[str, str]") -> M:
    """What the query of an address says.

    Raises:
        InvalidQuery: with one problem per wrong parameter.
    """
    twice: list[InvalidJob] = [
        InvalidQuery(f"Give {name!r} once.", pointer=f"/query/{name}")
        for name in given
        if len(given.getlist(name)) > 1
    ]
    if twice:
        raise InvalidQuery(summary(twice), problems=twice)
    values = given.to_dict()
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _refused(error, model, values, "parameter", "/query") from None


def _refused(
    error: ValidationError, model: type[M], given: Mapping[str, Any], noun: str, pointer: str
) -> InvalidQuery:
    known = [field.alias or name for name, field in model.model_fields.items()]
    found = problems(error, given, known=known, noun=noun, pointer=pointer)
    return InvalidQuery(summary(found), problems=found)
