"""A body checked against a model."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..jobs.errors import InvalidQuery
from ..jobs.validation import check, problems, summary

M = TypeVar("M", bound=BaseModel)


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
        found = problems(error, given, known=model.model_fields, noun="field", pointer=pointer)
        raise InvalidQuery(summary(found), problems=found) from None
