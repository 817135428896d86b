"""Which jobs a request means."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..jobs import instants
from ..jobs.labels import Tag
from ..jobs.states import State
from ..store import JobFilter
from .requests import Instant


class FilterRequest(BaseModel):
    """Conditions that a job meets, all of them."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = None
    queue: str | None = Field(default=None, min_length=1)
    actor: str | None = Field(default=None, min_length=1)
    fingerprint: str | None = Field(default=None, pattern="^[0-9a-f]{16}$")
    tag: Tag | None = None
    since: Instant | None = None
    until: Instant | None = None

    @model_validator(mode="after")
    def _only_dead_jobs_have_a_fingerprint(self) -> Self:
        if self.fingerprint is not None and self.state not in (None, State.DEAD):
            raise ValueError("Only dead jobs have a fingerprint: leave out state, or give state=dead.")
        return self

    def wanted(self, states: tuple[State, ...] = ()) -> JobFilter:
        """The same for the store.

        Args:
            states: those that are meant when none is named.
        """
        if self.state is not None:
            states = (self.state,)
        elif self.fingerprint is not None:
            states = (State.DEAD,)
        return JobFilter(
            states=states,
            queue=self.queue,
            actor=self.actor,
            fingerprint=self.fingerprint,
            tag=self.tag,
            since_ms=instants.to_ms(self.since) if self.since else None,
            until_ms=instants.to_ms(self.until) if self.until else None,
        )
