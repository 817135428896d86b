"""What people write on jobs to find them again: tags and metadata. Nothing is decided by them."""

import json
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from .errors import InvalidJob
from .validation import check, problems, summary

MOST_TAGS = 20
METADATA_LIMIT = 4096

#: A tag is one word: the store parts them by spaces, and it stands in a query without being quoted.
Tag = Annotated[str, Field(pattern=r"^[!-~]{1,64}$", description="1 to 64 visible ASCII characters")]


def _each_once(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


def _small(metadata: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(metadata, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise ValueError("NaN and Infinity are no JSON.") from None
    if len(text) > METADATA_LIMIT:
        raise ValueError(f"The metadata have more than {METADATA_LIMIT} bytes as JSON.")
    return metadata


Tags = Annotated[list[Tag], Field(max_length=MOST_TAGS), AfterValidator(_each_once)]
Metadata = Annotated[dict[str, Any], AfterValidator(_small)]


class Labels(BaseModel):
    """The options ``tags`` and ``metadata`` of an actor, of a message and of a request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tags: Tags = []
    metadata: Metadata = {}


def read_labels(given: dict[str, Any]) -> Labels:
    """Check what an actor or a message says.

    Args:
        given: ``tags``, ``metadata`` or both.

    Raises:
        InvalidJob: with one problem per wrong place.
    """
    try:
        return check(Labels, given)[0]
    except (ValidationError, TypeError, ValueError, RecursionError) as error:
        _refuse(error, given)


def _refuse(error: Exception, given: dict[str, Any]) -> NoReturn:
    pointer = f"/{next(iter(given))}"
    if not isinstance(error, ValidationError):
        raise InvalidJob(f"{pointer}: {error}", pointer=pointer, code="not_json") from None
    found = problems(error, given, known=Labels.model_fields, noun="field")
    raise InvalidJob(summary(found), pointer=pointer, code="bad_label", problems=found) from None
