"""Checks JSON values against pydantic models, strictly, and words what is wrong as `InvalidJob`s.

Strict means that ``false`` and ``"1"`` are no integers. ``1.0`` is one, as in JSON Schema: pydantic refuses
it, so it is turned into ``1`` exactly where an integer was asked for.
"""

import copy
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..names import did_you_mean
from .compact import ENCODER
from .errors import InvalidJob

MOST_PROBLEMS = 50
"""Of one value: so that what is wrong in thousands of places is not told in megabytes."""

M = TypeVar("M", bound=BaseModel)
Path = list[str | int]


def check(
    model: type[M], given: dict[str, Any], write: Callable[[Any], str | bytes] = ENCODER.encode
) -> tuple[M, dict[str, Any]]:
    """Validate a JSON object.

    Args:
        write: makes JSON text of it again, since only from text pydantic is strict as JSON is; `compact` for what is
            known to be JSON.

    Returns:
        The model, and the object with integral floats turned into the integers that were asked for.

    Raises:
        ValidationError: see `problems`.
    """
    try:
        return model.model_validate_json(write(given), strict=True), given
    except ValidationError as error:
        integral = [path for details in error.errors() if (path := _integral_float(details, given))]
        if not integral:
            raise
    given = copy.deepcopy(given)
    for path in integral:
        _make_integer(given, path)
    return model.model_validate_json(write(given), strict=True), given


def problems(
    error: ValidationError, given: object, *, known: Iterable[str], noun: str, pointer: str = ""
) -> list[InvalidJob]:
    """One `InvalidJob` per wrong place; of very many the first ones, and how many there are in all.

    Args:
        given: the value that was checked.
        known: names it may have; the nearest one is offered for a misspelt one.
        noun: what these names are: field, argument.
        pointer: where it stands in the request.
    """
    found: dict[str, InvalidJob] = {}
    everything = error.errors(include_url=False, include_context=False)
    for details in everything[:MOST_PROBLEMS]:
        no_text = details["type"] == "json_invalid"  # the whole is refused, so pydantic does not say where
        path = _half_a_character(given) if no_text else _path(details, given)
        place = pointer + "".join(f"/{_escaped(part)}" for part in path)
        detail, code = _worded(details, path, known, noun)
        if place in found:  # another branch of a union
            detail = f"{found[place]}, or: {detail[:1].lower()}{detail[1:]}"
        found[place] = InvalidJob(detail, pointer=place, code=code)
    if len(everything) > MOST_PROBLEMS:
        rest = f"There are {len(everything)} problems; these are the first ones."
        return [*found.values(), InvalidJob(rest, pointer=pointer, code="too_many")]
    return list(found.values())


def read_option(model: type[M], given: Any, name: str, example: str) -> M:
    """Check an option of an actor or a message that is a dictionary of a model's fields, or the model.

    Args:
        name: of the option.
        example: of such a dictionary.

    Raises:
        InvalidJob: with one problem per wrong field.
    """
    if isinstance(given, model):
        return given
    pointer, code = f"/{name}", f"bad_{name}"
    if not isinstance(given, dict):
        raise InvalidJob(f"{name}={given!r}: use a dictionary, such as {example}", pointer=pointer, code=code)
    try:
        return check(model, given)[0]
    except ValidationError as error:
        found = problems(error, given, known=model.model_fields, noun="field", pointer=pointer)
        raise InvalidJob(summary(found), pointer=pointer, code=code, problems=found) from None
    except (TypeError, ValueError) as error:
        raise InvalidJob(f"{name}={given!r}: {error}", pointer=pointer, code=code) from None


def summary(found: list[InvalidJob]) -> str:
    """All problems in one line."""
    return "; ".join(
        f"{problem.pointer}: {problem}" if problem.pointer else str(problem) for problem in found
    )


def _worded(details: ErrorDetails, path: Path, known: Iterable[str], noun: str) -> tuple[str, str]:
    kind = details["type"]
    if kind == "extra_forbidden":
        hint = did_you_mean(str(path[-1]), known) if len(path) == 1 else ""
        return f"No {noun} {path[-1]!r}.{hint}", f"unknown_{noun}"
    if kind == "missing":
        return f"The {noun} {path[-1]!r} is missing.", "missing"
    if kind == "json_invalid":
        return (
            "A text holds half of a surrogate pair (\\ud800 to \\udfff), which is no character.",
            "invalid_text",
        )
    if kind == "value_error":
        return details["msg"].removeprefix("Value error, "), "invalid"
    return details["msg"], kind


def _path(details: ErrorDetails, given: Any) -> Path:
    """Where the error is. pydantic's location also names branches of unions; those are left out."""
    path: Path = []
    part: Any
    for part in details["loc"]:
        if (isinstance(given, dict) and part in given) or (
            isinstance(given, list) and isinstance(part, int) and part < len(given)
        ):
            given = given[part]
        elif not (details["type"] == "missing" and part == details["loc"][-1]):
            continue
        path.append(part)
    return path


def _half_a_character(given: Any) -> Path:
    """Where the first text with half of a surrogate pair is; the object that it names, when it is a name."""
    waiting: list[tuple[Path, Any]] = [([], given)]
    while waiting:
        path, each = waiting.pop(0)
        if isinstance(each, str) and not _is_text(each):
            return path
        if isinstance(each, dict):
            if not all(map(_is_text, each)):
                return path
            waiting += [([*path, name], inner) for name, inner in each.items()]
        elif isinstance(each, list):
            waiting += [([*path, number], inner) for number, inner in enumerate(each)]
    return []


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _integral_float(details: ErrorDetails, given: dict[str, Any]) -> Path:
    value = details["input"]
    if details["type"] != "int_type" or not isinstance(value, float) or not value.is_integer():
        return []
    return _path(details, given)


def _make_integer(given: Any, path: Path) -> None:
    for part in path[:-1]:
        given = given[part]
    given[path[-1]] = int(given[path[-1]])


def _escaped(part: str | int) -> str:
    """A reference token of RFC 6901."""
    return str(part).replace("~", "~0").replace("/", "~1")
