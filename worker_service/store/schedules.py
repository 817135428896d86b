"""Schedules in the store: their definitions, their ticks, and which scheduler process fires them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import redis

from .connection import COMMAND_TIMEOUT, connect, translated
from .job_record import text_of
from .keys import Keys
from .line import Line
from .records import NewJob
from .scripts import Scripts

BELL_SECONDS = 5.0
NONE = "0"
"""The edition of a schedule that is not there."""
MOST_SCHEDULES = 10_000
"""How many are read at most."""


class ScheduleRef(NamedTuple):
    """A schedule as somebody has read it; a change of its definition makes another one of it."""

    name: str
    uid: str
    version: int


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """One schedule. Instants are UTC ms.

    Attributes:
        uid: of this schedule; another one that gets its name later has another.
        version: grows with each change of the definition.
        definition: what was put or declared.
        source: ``api``, or ``code`` when schedulers declare it.
        code: version of the code that declares it.
        declared_at_ms: when a scheduler said so last.
        next_ms: the tick to be fired next; None when there is none.
        last_ms: the newest tick that was fired, skipped or missed.
        runs, skipped, missed: how many ticks made a job, made none because an earlier one was still there, were
            given up because nobody could fire them in time.
        pause: why, and since when; None when it is not paused.
    """

    name: str
    uid: str
    version: int
    definition: dict[str, Any]
    source: str
    code: int | None
    created_at_ms: int
    declared_at_ms: int | None
    next_ms: int | None
    last_ms: int | None
    runs: int
    skipped: int
    missed: int
    pause: dict[str, Any] | None

    @property
    def edition(self) -> str:
        """What tells this definition from all others, also from those of an earlier schedule of this name."""
        return f"{self.uid}-{self.version}"

    @property
    def ref(self) -> ScheduleRef:
        """This version of it."""
        return ScheduleRef(self.name, self.uid, self.version)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A schedule that cannot be read, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Tick:
    """What became of one tick.

    Attributes:
        at_ms: when it was dealt with.
        cause: tick, backfill or run_now.
        outcome: fired, skipped or missed.
        job: the job it made, or the earlier one for which it was skipped.
        count: how many ticks up to this one were missed.
    """

    at_ms: int
    tick_ms: int
    cause: str
    outcome: str
    job: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Lead:
    """What a scheduler process learns when it says that it lives.

    Attributes:
        leads: whether it is the one that fires.
        now_ms: the server's clock.
        changes: how often schedules were changed so far; another number means that they are to be read again.
    """

    leads: bool
    now_ms: int
    changes: int


class Schedules:
    """The schedules of one namespace. Every method may be repeated with the same arguments.

    Args:
        client: see `connect`.
        namespace: see `Keys`.
    """

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._client = client
        self.keys = Keys(namespace)
        self._scripts = Scripts(client.execute_command, self.keys.prefix)

    def put(
        self,
        name: str,
        definition: str,
        *,
        uid: str,
        next_ms: int | None,
        max_runs: int | None = None,
        expected: str | None = None,
        now_ms: int | None = None,
    ) -> tuple[str, int]:
        """Create a schedule, or replace its definition.

        Args:
            definition: JSON.
            uid: of a new one.
            expected: the edition it has to have; `NONE`: there must be none.

        Returns:
            ``created``, ``updated``, ``unchanged``, ``conflict`` (another edition), ``from_code`` or ``behind`` (the
            tick was fired meanwhile: look again); and its version.
        """
        word, version = self._scripts.run(
            "put_schedule",
            _text(now_ms),
            name,
            expected or "",
            uid,
            definition,
            _text(next_ms),
            _text(max_runs),
        )
        return word.decode(), version

    def declare(
        self,
        name: str,
        definition: str,
        *,
        uid: str,
        next_ms: int | None,
        code: int,
        quiet_ms: int,
        max_runs: int | None = None,
        now_ms: int | None = None,
    ) -> str:
        """Say that the code of this process has a schedule.

        Args:
            code: version of the code, a number that grows.
            quiet_ms: how long newer code must have been silent before older code has its way.

        Returns:
            ``created``, ``updated``, ``unchanged``, ``older`` (newer code says otherwise), ``taken`` (the API has a
            schedule of this name) or ``behind`` (the tick was fired meanwhile: look again).
        """
        word: bytes = self._scripts.run(
            "declare_schedule",
            _text(now_ms),
            name,
            uid,
            definition,
            _text(next_ms),
            _text(max_runs),
            code,
            quiet_ms,
        )
        return word.decode()

    def remove(self, name: str, *, expected: str | None = None) -> str:
        """Remove a schedule of the API: ``removed``, ``unknown``, ``conflict`` or ``from_code``."""
        return self._remove(name, expected or "", "")

    def retire(self, name: str, silent_since_ms: int) -> str:
        """Remove one that no code has declared since an instant: ``removed``, ``unknown`` or ``declared``."""
        return self._remove(name, "", silent_since_ms)

    def _remove(self, name: str, expected: str, silent_since: str | int) -> str:
        word: bytes = self._scripts.run("remove_schedule", name, expected, silent_since)
        return word.decode()

    def pause(self, name: str, about: dict[str, Any]) -> str:
        """Fire no more ticks of it: ``paused`` or ``unknown``.

        Args:
            about: for people; kept as JSON.
        """
        word: bytes = self._scripts.run("pause_schedule", name, json.dumps(about, separators=(",", ":")))
        return word.decode()

    def resume(self, name: str, version: int, next_ms: int | None) -> str:
        """Fire its ticks again: ``resumed``, ``unknown`` or ``changed`` (read it again)."""
        word: bytes = self._scripts.run("resume_schedule", name, version, _text(next_ms))
        return word.decode()

    def fire(
        self,
        schedule: ScheduleRef,
        tick_ms: int,
        job: NewJob,
        *,
        next_ms: int | None,
        cause: str = "tick",
        now_ms: int | None = None,
    ) -> tuple[str, str]:
        """Create the job of one tick.

        Args:
            job: under an id that this tick and cause alone lead to.
            next_ms: the tick after this one; not used when the cause is another than ``tick``.

        Returns:
            ``fired``, ``follows`` (the job waits for an earlier one), ``already``, ``skipped``, ``changed`` or
            ``paused``; and the id of the earlier job when skipped.
        """
        word, *earlier = self._scripts.run(
            "fire", _text(now_ms), *schedule, tick_ms, cause, _text(next_ms), *job.arguments()
        )
        return word.decode(), earlier[0].decode() if earlier else ""

    def miss(self, schedule: ScheduleRef, tick_ms: int, count: int, *, next_ms: int | None) -> str:
        """Give up ``count`` ticks, the newest of which is ``tick_ms``: ``missed``, ``already`` or ``changed``."""
        word: bytes = self._scripts.run("miss", *schedule, tick_ms, _text(next_ms), count)
        return word.decode()

    def lead(self, scheduler: str, lease_ms: int, *, leaves: bool = False, now_ms: int | None = None) -> Lead:
        """Say that a scheduler process lives, or leaves."""
        word, now, changes = self._scripts.run("lead", _text(now_ms), scheduler, lease_ms, int(not leaves))
        return Lead(word == b"leading", now, changes)

    def schedulers(self) -> dict[str, int]:
        """Ids of the scheduler processes -> when their leases end, in UTC ms; some may have ended."""
        with translated():
            found: Any = self._client.zrange(self.keys.schedulers, 0, -1, withscores=True)
        return {id.decode(): int(end) for id, end in found}

    def live_schedulers(self) -> list[str]:
        """Those of them whose lease has not ended, by their ids: ``host:pid:random``."""
        now_ms = self.now_ms()
        return [id for id, end in self.schedulers().items() if end > now_ms]

    def now_ms(self) -> int:
        """The server's clock, in UTC ms."""
        with translated():
            seconds, micros = self._client.time()
        return seconds * 1000 + micros // 1000

    def leader(self) -> str | None:
        """Id of the scheduler process that fires."""
        with translated():
            found: Any = self._client.get(self.keys.leader)
        return found.decode() if found else None

    def names(self) -> list[str]:
        """All schedules, by their next tick."""
        with translated():
            found: Any = self._client.zrange(self.keys.schedules, 0, MOST_SCHEDULES - 1)
        return [name.decode() for name in found]

    def get(self, name: str) -> StoredSchedule | Damaged | None:
        """One schedule; None when there is none."""
        return next(iter(self.read([name])), None)

    def read(self, names: Sequence[str]) -> list[StoredSchedule | Damaged]:
        """These schedules, in one round trip; those that are gone are left out."""
        with translated(), self._client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(self.keys.schedule(name))
            replies = pipe.execute(raise_on_error=False)
        return [_read(name, fields) for name, fields in zip(names, replies, strict=True) if fields]

    def declared_before(self, instant_ms: int) -> list[str]:
        """Schedules of code that no scheduler has declared since."""
        found = self.read(self.names())
        return [
            each.name
            for each in found
            if isinstance(each, StoredSchedule)
            and each.source == "code"
            and (each.declared_at_ms or 0) <= instant_ms
        ]

    def history(self, name: str, count: int) -> list[Tick]:
        """The newest ticks, the newest first."""
        with translated():
            entries: Any = self._client.xrevrange(self.keys.ticks(name), count=count)
        return [_tick(entry.decode(), text_of(fields)) for entry, fields in entries]


class SchedulesBell:
    """The wait of the scheduler that leads: until schedules were changed.

    Args:
        url: see `connect`; the connection is used for nothing else.
        namespace: see `Keys`.
    """

    def __init__(self, url: str, namespace: str) -> None:
        self._client = connect(url, retries=0, timeout=BELL_SECONDS + COMMAND_TIMEOUT)
        self._line = Line(self._client)
        self._bell = Keys(namespace).bell("schedulers")

    def wait(self, seconds: float) -> None:
        """Return when somebody rang, or after ``seconds``, at most `BELL_SECONDS`."""
        with translated():
            self._line.execute("BZPOPMIN", self._bell, min(seconds, BELL_SECONDS))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _read(name: str, fields: Any) -> StoredSchedule | Damaged:
    try:
        record = text_of(fields)
        return StoredSchedule(
            name=name,
            uid=record["uid"],
            version=int(record["version"]),
            definition=_object(record["definition"], "definition"),
            source=record["source"],
            code=_number(record, "code"),
            created_at_ms=int(record["created_at"]),
            declared_at_ms=_number(record, "declared_at"),
            next_ms=_number(record, "next"),
            last_ms=_number(record, "last"),
            runs=_number(record, "runs") or 0,
            skipped=_number(record, "skipped") or 0,
            missed=_number(record, "missed") or 0,
            pause=_object(record["paused"], "pause") if "paused" in record else None,
        )
    except (AttributeError, KeyError, ValueError, RecursionError) as error:
        return Damaged(name, f"{type(error).__name__}: {error}")


def _object(text: str, what: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"its {what} is no object")
    return found


def _tick(entry: str, fields: dict[str, str]) -> Tick:
    outcome, job = fields.get("outcome", ""), fields.get("job", "")
    missed = outcome == "missed"
    return Tick(
        at_ms=int(entry.partition("-")[0]),
        tick_ms=int(fields.get("tick", 0)),
        cause=fields.get("cause", ""),
        outcome=outcome,
        job=None if missed else job,
        count=int(job) if missed else 1,
    )


def _number(record: dict[str, str], name: str) -> int | None:
    return int(record[name]) if record.get(name) else None


def _text(value: int | None) -> str | int:
    return "" if value is None else value
