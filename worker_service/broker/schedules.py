"""Schedules as people see and change them: the functions under the HTTP interface and the command line."""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from ..jobs.errors import (
    DuplicateJob,
    IdempotencyKeyReused,
    InvalidJob,
    InvalidQuery,
    InvalidSchedule,
    ScheduleChanged,
    ScheduleDamaged,
    ScheduleOfCode,
    UnknownSchedule,
)
from ..jobs.schedule import Definition
from ..jobs.schedule_names import check_name
from ..jobs.ticks import jittered
from ..jobs.time_zones import read_time_zone
from ..jobs.validation import summary
from ..names import did_you_mean
from ..store import Damaged, Idempotency, Schedules, StoredSchedule, Submitted, Tick, meaning_of
from ..store.schedules import MOST_SCHEDULES, NONE
from .broker import JobBroker
from .ticks import check, fire, run_now

MOST_BACKFILLED = 1_000
"""Ticks in one request."""
LONGEST_NOTE = 500
SILENT_MS = 120_000
"""A schedule of code that no scheduler has declared for so long may be removed: each says so once a minute."""

MOST_READINGS = 10
"""How often a schedule that others replace is read again."""
MOST_COUNTED = 10_000
"""Ticks that are counted to say how many are too many."""


class Standing(StrEnum):
    """Whether ticks of a schedule are fired."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"  # no tick is to come
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Entry:
    """A schedule that is in order."""

    stored: StoredSchedule
    definition: Definition

    @property
    def name(self) -> str:
        """Of the schedule."""
        return self.stored.name

    @property
    def state(self) -> Standing:
        """Whether its ticks are fired."""
        if self.stored.pause is not None:
            return Standing.PAUSED
        return Standing.ENDED if self.stored.next_ms is None else Standing.ACTIVE

    def lag_ms(self, now_ms: int) -> int:
        """For how long its next tick has been due without being fired."""
        due = self.stored.next_ms if self.state is Standing.ACTIVE else None
        return 0 if due is None else max(0, now_ms - due)


class Coming(NamedTuple):
    """A tick to come.

    Attributes:
        local: what clocks of the schedule's zone show then, with their offset.
        due_ms: when its job may start: the tick and the jitter.
    """

    tick_ms: int
    local: str
    due_ms: int


class Backfilled(NamedTuple):
    """A tick of the past, its job (or the one that does its work), and whether this call created it."""

    tick_ms: int
    job: str
    created: bool


class Timetable:
    """All schedules of a namespace.

    Every method may raise StoreUnavailable: Redis is away. Those with a name raise UnknownSchedule; those that have to
    understand the schedule raise ScheduleDamaged.

    Args:
        broker: whose actors may be scheduled.
        time_zone: of definitions that name none.
    """

    def __init__(self, broker: JobBroker, time_zone: str) -> None:
        self._broker = broker
        self._time_zone = time_zone
        self.schedules = Schedules(broker.store.client, broker.store.namespace)

    def all(self) -> list[Entry | Damaged]:
        """Every schedule, by name."""
        found = map(_understood, self.schedules.all())
        return sorted(found, key=lambda each: each.name)

    def find(self, name: str) -> Entry | Damaged:
        """One schedule."""
        stored = self.schedules.get(name)
        if stored is None:
            raise self._unknown(name)
        return _understood(stored)

    def get(self, name: str) -> Entry:
        """One schedule that is in order."""
        found = self.find(name)
        if isinstance(found, Damaged):
            raise _damaged(found)
        return found

    def put(self, name: str, given: dict[str, Any], *, expected: str | None = None) -> tuple[str, Entry]:
        """Create a schedule, or replace its definition; its ticks begin with the first one from now on.

        Args:
            given: fields of `Definition`, from outside.
            expected: the edition to replace, `NONE` for none; any when it is None.

        Returns:
            ``created``, ``updated`` or ``unchanged``, and the schedule.

        Raises:
            InvalidSchedule: the name or a field is wrong, or no tick is to come.
            ScheduleChanged: it has another edition.
            ScheduleOfCode: code declares it.
        """
        check_name(name)
        definition = self._checked(given)
        for _ in range(MOST_READINGS):
            word = self._put(name, definition, expected)
            if word != "behind":
                return word, self.get(name)
        raise _changed(name)

    def _put(self, name: str, definition: Definition, expected: str | None) -> str:
        before = self.schedules.get(name)
        if isinstance(before, Damaged):
            raise _damaged(before)
        if before is None and len(self.schedules.names()) >= MOST_SCHEDULES:
            raise InvalidSchedule(
                f"There are {MOST_SCHEDULES:,} schedules: remove one first.", code="too_many"
            )
        word, _ = self.schedules.put(
            name,
            definition.to_text(),
            uid=uuid.uuid4().hex,
            next_ms=self._first_tick(definition, before),
            max_runs=definition.max_runs,
            expected=expected,
        )
        if word == "from_code":
            raise _of_code(name)
        if word == "conflict" and expected == NONE:
            raise ScheduleChanged(
                f"There is a schedule {name!r} already: edit that one, or take another name."
            )
        if word == "conflict":
            raise _changed(name)
        return word

    def remove(self, name: str, *, expected: str | None = None) -> None:
        """Remove a schedule and its history, also a damaged one, or one that no code declares any more; its jobs stay.

        Raises:
            ScheduleChanged: it has another edition.
            ScheduleOfCode: code declares it.
        """
        word = self.schedules.remove(name, expected=expected)
        if word == "from_code":
            word = self.schedules.retire(name, self.schedules.now_ms() - SILENT_MS)
        if word == "unknown":
            raise self._unknown(name)
        if word == "declared":
            raise _of_code(name)
        if word == "conflict":
            raise _changed(name)

    def pause(self, name: str, note: str) -> Entry:
        """Fire no more ticks of it.

        Args:
            note: why, for people; 1 to `LONGEST_NOTE` characters.

        Raises:
            InvalidQuery: the note has another length.
        """
        if not 1 <= len(note) <= LONGEST_NOTE:
            raise InvalidQuery(
                f"Say why in 1 to {LONGEST_NOTE} characters.", pointer="/note", code="bad_note"
            )
        about = {"note": note, "paused_at_ms": self.schedules.now_ms()}
        if self.schedules.pause(self.get(name).name, about) == "unknown":
            raise self._unknown(name)
        return self.get(name)

    def resume(self, name: str) -> Entry:
        """Fire its ticks again, from the first one after now.

        Raises:
            ScheduleChanged: it was replaced again and again meanwhile.
        """
        for _ in range(MOST_READINGS):
            entry = self.get(name)
            after_ms = max(self.schedules.now_ms(), entry.stored.last_ms or 0)
            word = self.schedules.resume(name, entry.stored.version, entry.definition.timing().next(after_ms))
            if word != "changed":
                return self.get(name)
        raise _changed(name)

    def run(self, name: str, idempotency: Idempotency | None = None) -> Submitted:
        """Create a job of it now, also while it is paused; moves no tick.

        Args:
            idempotency: of the request, so that it may be repeated; None: each call is one of its own.

        Returns:
            The job: ``fired``, or ``replayed`` when the request came before.

        Raises:
            IdempotencyKeyReused: the key came with another request before.
            DuplicateJob: an earlier job of it has not ended, and they are not to overlap.
            InvalidJob: this process does not know the actor, or it does not take the arguments any more.
            ScheduleChanged: it was replaced again and again meanwhile.
        """
        for _ in range(MOST_READINGS):
            entry = self.get(name)
            at_ms = self.schedules.now_ms()
            done = run_now(
                self._broker, self.schedules, entry.stored.ref, entry.definition, at_ms, idempotency
            )
            if done.word == "conflict":
                raise IdempotencyKeyReused("This Idempotency-Key came with another request before.")
            if done.word == "skipped":
                raise DuplicateJob(
                    f"The job {done.id} does the work of the schedule {name!r} and has not ended.", done.id
                )
            if done.word != "changed":
                return done
        raise _changed(name)

    def backfill(self, name: str, from_ms: int, to_ms: int) -> list[Backfilled]:
        """Create the jobs of the ticks between two instants of the past, both included; repeatable.

        They may overlap, do not expire, and do not count as runs.

        Raises:
            InvalidQuery: the range is none, reaches into the future, or has more than `MOST_BACKFILLED` ticks.
            InvalidJob: this process does not know the actor, or it does not take the arguments any more.
            ScheduleChanged: it was replaced meanwhile; ask again.
        """
        entry = self.get(name)
        if to_ms < from_ms:
            raise InvalidQuery("It lies before 'from'.", pointer="/to", code="out_of_range")
        if to_ms > self.schedules.now_ms():
            raise InvalidQuery("It lies in the future, whose ticks are fired when they come.", pointer="/to")
        found = entry.definition.timing().between(from_ms - 1, to_ms, MOST_COUNTED + 1)
        if len(found) > MOST_BACKFILLED:
            number = f"more than {MOST_COUNTED:,}" if len(found) > MOST_COUNTED else f"{len(found):,}"
            raise InvalidQuery(
                f"The range has {number} ticks; {MOST_BACKFILLED:,} are the most in one request.",
                pointer="/to",
                code="too_many",
            )
        return [self._backfill_one(entry, tick) for tick in found]

    def coming(self, name: str, count: int) -> list[Coming]:
        """The next ticks, at most so many; of a paused schedule those that would be fired if it were resumed now."""
        entry = self.get(name)
        stored, definition = entry.stored, entry.definition
        if entry.state is Standing.ENDED:
            return []
        if definition.max_runs is not None:
            count = min(count, definition.max_runs - stored.runs)
        zone, timing = read_time_zone(definition.timezone), definition.timing()
        tick: int | None = max(self.schedules.now_ms(), stored.last_ms or 0)
        found: list[Coming] = []
        while tick is not None and len(found) < count:
            tick = timing.next(tick)
            if tick is not None:
                local = datetime.fromtimestamp(tick / 1000, zone).isoformat(timespec="milliseconds")
                found.append(Coming(tick, local, jittered(tick, stored.uid, definition.jitter_ms)))
        return found

    def history(self, name: str, count: int) -> list[tuple[Tick, str | None]]:
        """The newest ticks, the newest first, each with the present state of its job; ``pruned`` when that is gone."""
        self.find(name)
        ticks = self.schedules.history(name, count)
        ids = list(dict.fromkeys(tick.job for tick in ticks if tick.job))
        states = {job.id: job.state.value for job in self._broker.reads.jobs(ids, brief=True)}
        return [(tick, states.get(tick.job, "pruned") if tick.job else None) for tick in ticks]

    def _unknown(self, name: str) -> UnknownSchedule:
        return UnknownSchedule(f"No schedule {name[:80]!r}.{did_you_mean(name[:80], self.schedules.names())}")

    def _checked(self, given: dict[str, Any]) -> Definition:
        definition: Definition | None = None
        wrong: list[InvalidJob] = []
        try:
            definition = Definition.read({"timezone": self._time_zone, **given})
        except InvalidSchedule as error:
            wrong = error.problems
        actor, args = given.get("actor"), given.get("args", {})
        judged = any(each.pointer.startswith(("/actor", "/args")) for each in wrong)
        if not judged and isinstance(actor, str) and isinstance(args, dict):
            try:
                check(self._broker, actor, args)
            except InvalidJob as error:
                wrong = [*wrong, *error.problems]
        if definition is None or wrong:
            raise InvalidSchedule(summary(wrong), problems=wrong)
        return definition

    def _first_tick(self, definition: Definition, before: StoredSchedule | None) -> int | None:
        """The tick to begin with. What is there already may be put again after its last tick."""
        runs, last_ms = (before.runs, before.last_ms or 0) if before else (0, 0)
        pending_ms = before.next_ms if before and before.pause is None else None
        found = definition.timing().first(max(self.schedules.now_ms(), last_ms), pending_ms)
        if before is not None and before.definition == json.loads(definition.to_text()):
            return found
        if found is None:
            pointer = "/at" if definition.at is not None else "/end_at"
            raise InvalidSchedule("No tick of it is to come.", pointer=pointer, code="no_tick")
        if definition.max_runs is not None and runs >= definition.max_runs:
            raise InvalidSchedule(f"It has run {runs:,} times already.", pointer="/max_runs", code="no_tick")
        return found

    def _backfill_one(self, entry: Entry, tick_ms: int) -> Backfilled:
        fired = fire(
            self._broker, self.schedules, entry.stored.ref, entry.definition, tick_ms, cause="backfill"
        )
        if fired.word == "changed":
            raise ScheduleChanged(f"The schedule {entry.name!r} was replaced meanwhile: ask again.")
        return Backfilled(tick_ms, fired.job, fired.word == "fired")


def _understood(stored: StoredSchedule | Damaged) -> Entry | Damaged:
    if isinstance(stored, Damaged):
        return stored
    meaning = meaning_of(stored)
    return meaning if isinstance(meaning, Damaged) else Entry(stored, meaning)


def _damaged(found: Damaged) -> ScheduleDamaged:
    return ScheduleDamaged(
        f"The schedule {found.name!r} cannot be read and is not fired ({found.reason}). Remove it, and put it again; "
        "one of code is declared anew by its schedulers within a minute."
    )


def _changed(name: str) -> ScheduleChanged:
    return ScheduleChanged(f"The schedule {name!r} is not the expected version: read it again.")


def _of_code(name: str) -> ScheduleOfCode:
    return ScheduleOfCode(
        f"The schedule {name!r} is declared in code: change it there. It may be paused, resumed, run and "
        "backfilled from here, and removed two minutes after no scheduler declares it any more; for other times, put "
        "one of another name."
    )
