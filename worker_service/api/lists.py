"""What a request for a list of jobs may say."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

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


class FailuresQuery(BaseModel):
    """The query of ``GET /v1/failures``: it has none."""

    model_config = ConfigDict(extra="forbid")
