"""What a schedule says: which actor, when, and what happens when a tick meets its predecessor or comes late."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from . import instants
from .backoff import CENTURY_MS
from .catch_up import Policy, count_ticks, newest_first, ticks_to_fire
from .cron import Cron, parse_cron
from .errors import InvalidSchedule
from .intervals import LONGEST_MS, SHORTEST_MS
from .signature import ARGUMENTS_LIMIT
from .ticks import At, Every, Trigger, next_tick
from .time_zones import read_time_zone
from .validation import check, problems, summary

GRACE_MS = 60_000
"""A tick that is fired within this time is not late: a scheduler was restarted, or another one had to take over."""

ONE_RULE = "Give one of cron, every_ms and at."

YEAR_MS = 366 * 24 * 3600 * 1000
DAY_MS = 24 * 3600 * 1000


def _cron(text: str) -> str:
    return str(parse_cron(text))


def _time_zone(name: str) -> str:
    return read_time_zone(name).key


def _instant(text: str) -> str:
    return instants.to_text(instants.to_ms(text)) or text


CronText = Annotated[str, AfterValidator(_cron)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Instant = Annotated[str, AfterValidator(_instant), Field(json_schema_extra={"format": "date-time"})]


class Definition(BaseModel):
    """A schedule as it is put, declared and stored. Equal definitions have equal text.

    Attributes:
        args: of the actor, by name.
        cron, every_ms, at: when: one of them.
        timezone: whose clocks the cron text goes by.
        start_at, end_at: no tick comes before the one or after the other.
        max_runs: how many ticks make a job at most.
        overlap: what a tick does while the job of an earlier one has not ended: nothing (skip), wait for its end
            (buffer_one; further ones are skipped), or not care (allow_all).
        catch_up: which of the ticks that nobody could fire within a minute are fired later.
        catch_up_window_ms: how old they may be.
        jitter_ms: how much later than its tick a job may be due; always the same for one schedule.
        expires_after_ms: how long after its tick a job may start.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "actor": "add",
                    "args": {"x": 2, "y": 3},
                    "cron": "0 17 * * mon-fri",
                    "timezone": "Europe/London",
                }
            ]
        },
    )

    actor: str = Field(min_length=1)
    args: dict[str, Any] = Field(default_factory=dict)
    cron: CronText | None = None
    every_ms: int | None = Field(default=None, ge=SHORTEST_MS, le=LONGEST_MS)
    at: Instant | None = None
    timezone: TimeZone = "UTC"
    start_at: Instant | None = None
    end_at: Instant | None = None
    max_runs: int | None = Field(default=None, ge=1, le=1_000_000_000)
    overlap: Literal["skip", "buffer_one", "allow_all"] = "skip"
    catch_up: Policy = "latest"
    catch_up_window_ms: int = Field(default=YEAR_MS, ge=0, le=CENTURY_MS)
    jitter_ms: int = Field(default=0, ge=0, le=DAY_MS)
    expires_after_ms: int | None = Field(default=None, ge=1, le=CENTURY_MS)

    @field_validator("args")
    @classmethod
    def _is_not_too_large(cls, value: dict[str, Any]) -> dict[str, Any]:
        if len(json.dumps(value, separators=(",", ":"))) > ARGUMENTS_LIMIT:
            raise ValueError(
                f"The arguments have more than {ARGUMENTS_LIMIT} bytes. Store what is large elsewhere, and pass its id."
            )
        return value

    # What two fields say together is told at the later one, so that it stands beside what is wrong with others.

    @field_validator("every_ms", "at")
    @classmethod
    def _is_the_only_rule(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and any(info.data.get(rule) is not None for rule in ("cron", "every_ms")):
            raise ValueError(ONE_RULE)
        return value

    @field_validator("end_at")
    @classmethod
    def _does_not_end_before_it_starts(cls, value: str | None, info: ValidationInfo) -> str | None:
        start = info.data.get("start_at")
        if value is not None and start is not None and value < start:
            raise ValueError("end_at lies before start_at.")
        return value

    @field_validator("expires_after_ms")
    @classmethod
    def _expires_after_it_is_due(cls, value: int | None, info: ValidationInfo) -> int | None:
        jitter_ms = info.data.get("jitter_ms", 0)
        if value is not None and value <= jitter_ms:
            raise ValueError(
                "expires_after_ms has to be longer than jitter_ms: a job could expire before it is due."
            )
        return value

    @model_validator(mode="after")
    def _has_a_rule(self) -> Self:
        if self.cron is None and self.every_ms is None and self.at is None:
            raise ValueError(ONE_RULE)
        return self

    @classmethod
    def read(cls, given: dict[str, Any]) -> "Definition":
        """Check what comes from outside, or from the store.

        Raises:
            InvalidSchedule: with one problem per wrong field.
        """
        try:
            return check(cls, given)[0]
        except ValidationError as error:
            found = problems(error, given, known=cls.model_fields, noun="field")
            raise InvalidSchedule(summary(found), problems=found) from None

    def to_text(self) -> str:
        """JSON: the same text for the same definition."""
        given = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(given, sort_keys=True, separators=(",", ":"), allow_nan=False)

    def timing(self) -> "Timing":
        """Its ticks."""
        trigger = Trigger(
            self._when(),
            start_ms=instants.to_ms(self.start_at) if self.start_at else None,
            end_ms=instants.to_ms(self.end_at) if self.end_at else None,
        )
        return Timing(self, trigger)

    def _when(self) -> Cron | Every | At:
        if self.cron is not None:
            return parse_cron(self.cron)
        return Every(self.every_ms) if self.every_ms is not None else At(instants.to_ms(str(self.at)))


@dataclass(frozen=True, slots=True)
class Due:
    """The ticks that have come.

    Attributes:
        ticks: those to fire, oldest first.
        missed: how many before them are given up; the newest of them is ``newest_missed``.
        or_more: whether the counting was cut.
        following: the first that is still to come; None when there is none.
    """

    ticks: Sequence[int]
    missed: int
    or_more: bool
    newest_missed: int | None
    following: int | None


class Timing:
    """The ticks of a definition, as instants in UTC ms.

    Args:
        definition: whose.
        trigger: its rule.
    """

    def __init__(self, definition: Definition, trigger: Trigger) -> None:
        self._definition = definition
        self._trigger = trigger
        self._zone = read_time_zone(definition.timezone)

    def next(self, after_ms: int) -> int | None:
        """The first tick later than an instant."""
        return next_tick(self._trigger, after_ms, self._zone)

    def first(self, now_ms: int, pending_ms: int | None) -> int | None:
        """The first tick of a new definition: what came under the one before and was not fired is not lost.

        Args:
            pending_ms: the tick that the definition before had to fire next; None when it had none.
        """
        return self.next(now_ms if pending_ms is None else min(now_ms, pending_ms - 1))

    def between(self, after_ms: int, until_ms: int, most: int) -> list[int]:
        """The first ticks later than one instant and not later than another, at most so many."""
        found: list[int] = []
        while len(found) < most and (tick := self.next(found[-1] if found else after_ms)) is not None:
            if tick > until_ms:
                break
            found.append(tick)
        return found

    def due(self, next_ms: int, now_ms: int) -> Due:
        """What is to be done at an instant.

        Args:
            next_ms: the first tick that was not dealt with.
        """
        following = self.next(next_ms)
        is_alone = next_ms > now_ms - GRACE_MS and (following is None or following > now_ms)
        if is_alone and self.next(next_ms - 1) == next_ms:  # as a rule
            return Due([next_ms], 0, False, None, following)
        ticks = ticks_to_fire(
            self._trigger,
            self._zone,
            last_ms=next_ms - 1,
            now_ms=now_ms,
            grace_ms=GRACE_MS,
            policy=self._definition.catch_up,
            window_ms=self._definition.catch_up_window_ms,
        )
        last_ms = (ticks[0] if ticks else now_ms + 1) - 1
        newest = next(newest_first(self._trigger, self._zone, next_ms - 1, last_ms), None)
        missed, or_more = (
            count_ticks(self._trigger, self._zone, next_ms - 1, last_ms) if newest is not None else (0, False)
        )
        return Due(ticks, missed, or_more, newest, self.next(now_ms))
