"""What a request for a list of jobs may say."""

from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, field_validator

from ..jobs.states import State
from ..store import JobFilter, Place
from .filters import FilterRequest

MOST = 500


class ListQuery(FilterRequest):
    """The query of ``GET /v1/jobs``."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    q: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Stands in the id, actor, queue, tags, error or arguments; looked for in the newest 10,000 jobs.",
    )
    limit: int = Field(default=50, ge=1, le=MOST)
    cursor: Annotated[Place | None, WithJsonSchema({"type": "string"})] = None

    @field_validator("cursor", mode="before")
    @classmethod
    def _read_cursor(cls, value: str) -> Place:
        try:
            return Place.from_text(value)
        except ValueError:
            raise ValueError("Use the next_cursor of the page before.") from None

    def wanted(self, states: tuple[State, ...] = ()) -> JobFilter:
        """The same for the store; see `FilterRequest.wanted`."""
        return replace(super().wanted(states), text=self.q)


class FailuresQuery(BaseModel):
    """The query of ``GET /v1/failures``: it has none."""

    model_config = ConfigDict(extra="forbid")
