"""Which jobs are meant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..jobs.states import State
from .job_record import fingerprint_of, text_of

FIELDS = ("state", "queue", "actor", "created_at", "fingerprint", "reason")
"""Those of a record that decide."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Jobs that meet each condition; what is empty is none.

    Attributes:
        states: any of these.
        fingerprint: of dead jobs.
        tag: one of its tags.
        text: stands somewhere in its id, actor, queue, tags, error or arguments, in capital letters or not.
        error: stands in the type or the message of its last error, in capital letters or not.
        argument: path of one of its arguments (``order.items.0``) and its value, as text or as JSON.
        searched: actors whose arguments are looked at, with the names of those that may be sent by position; None: all,
            by name.
        since_ms, until_ms: created at the first instant or later, and before the second one.
    """

    states: tuple[State, ...] = ()
    queue: str | None = None
    actor: str | None = None
    fingerprint: str | None = None
    tag: str | None = None
    text: str | None = None
    error: str | None = None
    argument: tuple[str, str] | None = None
    searched: Mapping[str, Sequence[str]] | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def state(self) -> State | None:
        """The only state, if one is asked for."""
        return self.states[0] if len(self.states) == 1 else None

    @property
    def is_textual(self) -> bool:
        """Whether more than the record of a job has to be read."""
        return bool(self.error or self.argument or self.text)

    @property
    def is_narrow(self) -> bool:
        """Whether the records of jobs rule most of them out. Of a state there is an index, as a rule."""
        return bool(self.queue or self.actor or self.fingerprint or self._has_bounds)

    @property
    def _has_bounds(self) -> bool:
        return self.since_ms is not None or self.until_ms is not None

    def fits(self, row: Sequence[bytes | None]) -> bool:
        """Whether the record of a job fits; `fitting` looks at the rest.

        Args:
            row: the values of `FIELDS`.
        """
        if not self.states and not self.is_narrow:
            return True
        record = text_of(dict(zip(FIELDS, row, strict=True)))
        return (
            (not self.states or record.get("state") in self.states)
            and self.queue in (None, record.get("queue"))
            and self.actor in (None, record.get("actor"))
            and (self.fingerprint is None or self.fingerprint == fingerprint_of(record))
            and self._covers(record.get("created_at", ""))
        )

    def _covers(self, created_at: str) -> bool:
        if not self._has_bounds:
            return True
        try:
            instant = int(created_at)
        except ValueError:
            return False
        return (self.since_ms or 0) <= instant and (self.until_ms is None or instant < self.until_ms)
